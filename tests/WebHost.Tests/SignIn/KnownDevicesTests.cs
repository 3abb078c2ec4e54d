using Maintenance.Testing;
using Maintenance.WebHost.Sessions;
using Maintenance.WebHost.SignIn;
using Maintenance.WebHost.Users;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Maintenance.WebHost.Tests.SignIn;

public sealed class KnownDevicesTests : IDisposable
{
    private readonly ManualTimeProvider clock = new();
    private readonly LogCollector logs = new();
    private readonly List<ServiceProvider> containers = [];

    public void Dispose()
    {
        containers.ForEach(container => container.Dispose());
        logs.Dispose();
    }

    [Fact]
    public void Device_IsKnownToTheAccountThatSignedIn_UntilItsTimeIsOver()
    {
        var devices = Devices(options => options.Life = TimeSpan.FromDays(30));
        var (user, other) = (Somebody(), Somebody());
        var token = devices.Remember(new DefaultHttpContext(), user, [])!;

        Known(devices, token, user).ShouldNotBeNull();
        Known(devices, token, other).ShouldBeNull();
        Known(devices, token, null).ShouldBeNull();
        clock.Advance(TimeSpan.FromDays(30) - TimeSpan.FromMinutes(1));
        Known(devices, token, user).ShouldNotBeNull();
        clock.Advance(TimeSpan.FromMinutes(2));
        Known(devices, token, user).ShouldBeNull();
    }

    [Fact]
    public void Device_IsCountedAnew_AfterEachLogIn_AndForgottenWithThePassword()
    {
        var devices = Devices();
        var user = Somebody();
        var first = devices.Remember(new DefaultHttpContext(), user, [])!;
        var second = devices.Remember(new DefaultHttpContext(), user, devices.Read(new DefaultHttpContext(), first))!;

        devices.Read(new DefaultHttpContext(), second).ShouldHaveSingleItem();
        Known(devices, second, user)!.Subject.ShouldNotBe(Known(devices, first, user)!.Subject);
        user.PasswordHash = "another hash";
        Known(devices, second, user).ShouldBeNull();
        user.PasswordHash = null;
        Known(devices, second, user).ShouldBeNull();
        devices.Remember(new DefaultHttpContext(), user, []).ShouldBeNull();
    }

    [Fact]
    public void Device_OfAFamily_IsKnownToTheFourWhoSignedInLast_AndFitsItsBounds()
    {
        var devices = Devices();
        var family = Enumerable.Range(0, 5).Select(_ => Somebody()).ToList();
        string? token = null;
        foreach (var user in family)
        {
            token = devices.Remember(new DefaultHttpContext(), user, devices.Read(new DefaultHttpContext(), token));
        }

        token!.Length.ShouldBeLessThan(KnownDevices.MaxLength);
        family.Select(user => Known(devices, token, user) is not null).ShouldBe([false, true, true, true, true]);
    }

    [Fact]
    public void Token_ComesBeforeTheCookie_AndNeitherCounts_WhenDevicesAreNotRemembered()
    {
        var devices = Devices();
        var (user, other) = (Somebody(), Somebody());
        var (token, cookie) = (devices.Remember(new DefaultHttpContext(), user, [])!, devices.Remember(new DefaultHttpContext(), other, [])!);
        var context = new DefaultHttpContext();
        context.Request.Headers.Cookie = $"{KnownDevices.Cookie}={cookie}";

        KnownDevices.Find(devices.Read(context, null), other).ShouldNotBeNull();
        KnownDevices.Find(devices.Read(context, token), user).ShouldNotBeNull();
        KnownDevices.Find(devices.Read(context, token), other).ShouldBeNull();

        var off = Devices(options => options.Enabled = false);
        off.Read(context, token).ShouldBeEmpty();
        off.Remember(context, user, []).ShouldBeNull();
        context.Response.Headers.SetCookie.Count.ShouldBe(0);

        var withoutCookies = Devices(cookies: false);
        KnownDevices.Find(withoutCookies.Read(context, null), other).ShouldBeNull();
        withoutCookies.Remember(context, user, []).ShouldNotBeNull();
        context.Response.Headers.SetCookie.Count.ShouldBe(0);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("=")]
    [InlineData("not base64 \u00e9")]
    [InlineData("CfDJ8AAAAAAAAAAAAAAAAAAAAAA")]
    public void Text_ThatIsNotOurs_IsNone(string? text) => Devices().Read(new DefaultHttpContext(), text).ShouldBeEmpty();

    [Fact]
    public void Text_OfAnotherPurpose_OrCutShort_IsNone()
    {
        var protection = new EphemeralDataProtectionProvider();
        var devices = Devices(protection: protection);
        foreach (var bytes in (byte[][])[[], [1, 2, 3], [2, .. new byte[56]], [1, .. new byte[55]]])
        {
            devices.Read(new DefaultHttpContext(), Text(protection.CreateProtector("known-device").Protect(bytes))).ShouldBeEmpty();
        }

        var token = devices.Remember(new DefaultHttpContext(), Somebody(), [])!;
        var bytesOfIt = protection.CreateProtector("known-device").Unprotect(Microsoft.AspNetCore.WebUtilities.WebEncoders.Base64UrlDecode(token));
        devices.Read(new DefaultHttpContext(), Text(protection.CreateProtector("authenticator-key").Protect(bytesOfIt))).ShouldBeEmpty();

        static string Text(byte[] bytes) => Microsoft.AspNetCore.WebUtilities.WebEncoders.Base64UrlEncode(bytes);
    }

    [Fact]
    public void LogIn_Stands_WhenTheRingOfKeysCannotBeUsed()
    {
        Devices(protection: new BrokenRing()).Remember(new DefaultHttpContext(), Somebody(), []).ShouldBeNull();

        logs.WithEvent(3301).ShouldHaveSingleItem();
    }

    [Theory]
    [InlineData(0.5, false)]
    [InlineData(1, true)]
    [InlineData(9600, true)]
    [InlineData(9601, false)]
    public void Life_HasBounds(double hours, bool valid)
    {
        var result = new KnownDeviceOptionsValidator().Validate(null, new KnownDeviceOptions { Life = TimeSpan.FromHours(hours) });

        result.Succeeded.ShouldBe(valid);
        (valid || result.FailureMessage!.Contains("KnownDevices:Life", StringComparison.Ordinal)).ShouldBeTrue();
    }

    private static User Somebody() => new() { Email = $"{Guid.NewGuid():N}@example.com", PasswordHash = $"hash {Guid.NewGuid():N}" };

    private static KnownLogIn? Known(KnownDevices devices, string token, User? user) => KnownDevices.Find(devices.Read(new DefaultHttpContext(), token), user);

    private KnownDevices Devices(Action<KnownDeviceOptions>? configure = null, bool cookies = true, IDataProtectionProvider? protection = null)
    {
        var container = new ServiceCollection()
            .AddLogging(logging => logging.AddProvider(logs))
            .Configure<KnownDeviceOptions>(options => configure?.Invoke(options))
            .Configure<SessionCookieOptions>(options => options.Enabled = cookies)
            .AddSingleton<TimeProvider>(clock)
            .AddSingleton(protection ?? Shared)
            .AddSingleton<KnownDevices>()
            .BuildServiceProvider();
        containers.Add(container);
        return container.GetRequiredService<KnownDevices>();
    }

    private static IDataProtectionProvider Shared { get; } = new EphemeralDataProtectionProvider();

    private sealed class BrokenRing : IDataProtectionProvider, IDataProtector
    {
        public IDataProtector CreateProtector(string purpose) => this;

        public byte[] Protect(byte[] plaintext) => throw new System.Security.Cryptography.CryptographicException("no ring");

        public byte[] Unprotect(byte[] protectedData) => throw new System.Security.Cryptography.CryptographicException("no ring");
    }
}
