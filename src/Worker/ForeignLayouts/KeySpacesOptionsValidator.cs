using System.Text.RegularExpressions;
using Maintenance.Worker.Keyspace;
using Microsoft.Extensions.Options;

namespace Maintenance.Worker.ForeignLayouts;

/// <summary>Refuses a layout that could not be read, or that would be mended into something else, and names each wrong setting.</summary>
internal sealed partial class KeySpacesOptionsValidator : IValidateOptions<KeySpacesOptions>
{
    // More than any keeps the program's own order: between its two writes lies a request, not a day.
    private static readonly TimeSpan LongestGrace = TimeSpan.FromDays(30);

    public ValidateOptionsResult Validate(string? name, KeySpacesOptions options)
    {
        var failures = options.Spaces.SelectMany(space => Problems(space.Key, space.Value)).ToList();
        foreach (var same in options.Spaces.GroupBy(space => space.Value.Sessions, StringComparer.Ordinal).Where(group => group.Count() > 1))
        {
            failures.Add($"{KeySpacesOptions.Section}: {string.Join(" and ", same.Select(space => space.Key).Order(StringComparer.Ordinal))} name the same Sessions.");
        }

        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }

    private static IEnumerable<string> Problems(string name, KeySpaceOptions space)
    {
        var setting = $"{KeySpacesOptions.Section}:{name}";
        if (!Label().IsMatch(name) || SweepMetrics.Keyspaces.Contains(name, StringComparer.Ordinal))
        {
            yield return $"{setting}: the name is a metric label; expected up to 32 small letters, digits and underscores, a letter first, and none of {string.Join(", ", SweepMetrics.Keyspaces)}.";
        }

        foreach (var problem in Pattern(setting, nameof(space.Sessions), space.Sessions, pattern => pattern.HasSession, $"with {KeyPattern.Session}")
            .Concat(Pattern(setting, nameof(space.Index), space.Index, pattern => pattern is { HasUser: true, HasSession: false }, $"with {KeyPattern.User} and without {KeyPattern.Session}"))
            .Concat(Pattern(setting, nameof(space.Member), space.Member, pattern => pattern is { HasSession: true, HasUser: false }, $"with {KeyPattern.Session} and without {KeyPattern.User}")))
        {
            yield return problem;
        }

        if (space.Sessions.Length > 0 && space.Sessions == space.Index)
        {
            yield return $"{setting}:Index is the same as Sessions.";
        }

        if (space.User is UserSource.Json or UserSource.Hash && string.IsNullOrWhiteSpace(space.UserPath))
        {
            yield return $"{setting}:UserPath is missing: User is {space.User}; expected {(space.User == UserSource.Json ? "the property, such as passport.user" : "the field")}, or User None.";
        }

        if (space.User == UserSource.Name && KeyPattern.Parse(space.Sessions, out _) is { HasUser: false })
        {
            yield return $"{setting}:User is Name, but Sessions has no {KeyPattern.User}.";
        }

        if (space.IndexType == IndexType.Set && space.Score != ScoreMeaning.Unknown)
        {
            yield return $"{setting}:Score is {space.Score}, but IndexType is Set, which has no scores.";
        }

        if (space.ScoreTolerance < TimeSpan.Zero)
        {
            yield return $"{setting}:ScoreTolerance is {space.ScoreTolerance}; expected 0 or more.";
        }

        if (space.Grace < TimeSpan.Zero || space.Grace > LongestGrace)
        {
            yield return $"{setting}:Grace is {space.Grace}; expected 0 to 30 days.";
        }
    }

    private static IEnumerable<string> Pattern(string setting, string property, string text, Func<KeyPattern, bool> right, string expected)
    {
        if (string.IsNullOrEmpty(text))
        {
            yield return $"{setting}:{property} is missing; expected a name {expected}.";
        }
        else if (KeyPattern.Parse(text, out var problem) is not { } pattern)
        {
            yield return $"{setting}:{property} is '{text}', which {problem}; expected a name {expected}.";
        }
        else if (!right(pattern))
        {
            yield return $"{setting}:{property} is '{text}'; expected a name {expected}.";
        }
    }

    [GeneratedRegex("^[a-z][a-z0-9_]{0,31}$", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex Label();
}
