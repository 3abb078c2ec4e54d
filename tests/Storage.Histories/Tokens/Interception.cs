using System.Reflection;

namespace Maintenance.Storage.Histories.Tokens;

#pragma warning disable CA1852 // DispatchProxy derives a class from it at run time.
/// <summary>A store of which one method does something else; every other call is passed on.</summary>
internal class Interception : DispatchProxy
{
    private object inner = null!;
    private string method = "";
    private Func<object?[], object> instead = null!;

    /// <summary>Puts the other behaviour in front of a store.</summary>
    /// <param name="inner">The store.</param>
    /// <param name="method">Name of the method.</param>
    /// <param name="instead">Takes its arguments and returns its task.</param>
    public static T Of<T>(T inner, string method, Func<object?[], object> instead)
        where T : class
    {
        var proxy = Create<T, Interception>();
        var interception = (Interception)(object)proxy;
        (interception.inner, interception.method, interception.instead) = (inner, method, instead);
        return proxy;
    }

    /// <inheritdoc/>
    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) =>
        targetMethod!.Name == method ? instead(args!) : targetMethod.Invoke(inner, args);
}
