using System.ComponentModel.DataAnnotations;
using System.Text;
using System.Text.Json;

namespace Maintenance.WebHost.Hosting;

/// <summary>Checks a request's body by its attributes before the endpoint sees it: <c>group.MapPost(...).Validated&lt;LoginRequest&gt;()</c>.</summary>
internal static class RequestRules
{
    public static RouteHandlerBuilder Validated<TRequest>(this RouteHandlerBuilder builder)
        where TRequest : class => builder.AddEndpointFilter(async (context, next) =>
    {
        var request = context.Arguments.OfType<TRequest>().FirstOrDefault();
        return request is null
            ? Problems.Invalid("$", "A body is required.")
            : Failures(request) is { } errors ? Problems.Invalid(errors) : await next(context);
    });

    /// <summary>What is wrong with a request, by the name of the field in JSON; null: nothing.</summary>
    internal static Dictionary<string, string[]>? Failures(object request)
    {
        var results = new List<ValidationResult>();
        return Validator.TryValidateObject(request, new ValidationContext(request), results, validateAllProperties: true)
            ? null
            : results.SelectMany(result => result.MemberNames.DefaultIfEmpty("$").Select(name => (Name: JsonNamingPolicy.CamelCase.ConvertName(name), Text: result.ErrorMessage ?? "Not accepted.")))
                .GroupBy(failure => failure.Name, StringComparer.Ordinal)
                .ToDictionary(group => group.Key, group => group.Select(failure => failure.Text).ToArray(), StringComparer.Ordinal);
    }
}

/// <summary>A text of bounded length and one line that holds no control characters and is valid Unicode, so that a database can keep it.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class PlainTextAttribute(int maximumLength) : StringLengthAttribute(maximumLength)
{
    /// <summary>Most bytes of UTF-8; 0: as the characters come.</summary>
    public int MaxBytes { get; set; }

    /// <summary>Whether it is shown to others, in mail too: then nothing that a program makes a link of is accepted.</summary>
    public bool NoLinks { get; set; }

    protected override ValidationResult? IsValid(object? value, ValidationContext validationContext)
    {
        if (value is string text && (text.Any(IsControl) || !IsUnicode(text)))
        {
            return new ValidationResult("Control characters and broken Unicode are not accepted.", [validationContext.MemberName!]);
        }

        if (NoLinks && value is string shown && (shown.Contains("://", StringComparison.Ordinal) || shown.Contains("www.", StringComparison.OrdinalIgnoreCase)))
        {
            return new ValidationResult("Links are not accepted.", [validationContext.MemberName!]);
        }

        return MaxBytes > 0 && value is string written && Encoding.UTF8.GetByteCount(written) > MaxBytes
            ? new ValidationResult($"At most {MaxBytes} bytes of UTF-8 are accepted.", [validationContext.MemberName!])
            : base.IsValid(value, validationContext);
    }

    // U+2028 and U+2029 begin a new line as well.
    private static bool IsControl(char c) => char.IsControl(c) || c is '\u2028' or '\u2029';

    private static bool IsUnicode(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (!char.IsSurrogate(text[i]))
            {
                continue;
            }

            if (i + 1 == text.Length || !char.IsSurrogatePair(text[i], text[i + 1]))
            {
                return false;
            }

            i++;
        }

        return true;
    }
}

/// <summary>An e-mail address: one @, something before it, a domain after it, no spaces; at most 254 characters. Mail alone proves that it exists.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class MailAddressAttribute : ValidationAttribute
{
    public const int MaxLength = 254;

    protected override ValidationResult? IsValid(object? value, ValidationContext validationContext) =>
        value is null or "" || (value is string text && IsAddress(text))
            ? ValidationResult.Success
            : new ValidationResult("Not an e-mail address.", [validationContext.MemberName!]);

    internal static bool IsAddress(string text)
    {
        var at = text.IndexOf('@', StringComparison.Ordinal);
        return text.Length <= MaxLength
            && at is > 0 and <= 64
            && at == text.LastIndexOf('@')
            && at < text.Length - 1
            && !text.Any(c => char.IsControl(c) || char.IsWhiteSpace(c) || char.IsSurrogate(c) || c is '<' or '>' or ',' or ';' or '"' or '(' or ')' or '\\')
            && text[(at + 1)..].Split('.').All(label => label.Length is > 0 and <= 63 && label[0] != '-' && label[^1] != '-');
    }
}
