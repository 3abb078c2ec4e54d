using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using Maintenance.Storage.Diagnostics;
using Maintenance.Testing;
using Maintenance.WebHost.Audit;
using Maintenance.WebHost.Users;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;

namespace Maintenance.WebHost.RedisTests.Journeys;

/// <summary>Nobody learns from an answer, or from the work behind it, whether an address has an account. The times are measured by <c>./dev bench host</c>.</summary>
[Collection(HostGroup.Name)]
public sealed class EnumerationTests(HostFixture fixture)
{
    [Fact]
    public async Task LoginRegisterAndForgot_DoTheSameWork_AndAnswerTheSame_ForKnownAndUnknownAddresses()
    {
        var (hashes, statements) = (new CountingHasher(), new StatementLog());
        using var calls = new StoreCalls();
        await using var host = await HostInstance.StartAsync(
            new(fixture.Settings) { ["Logging:LogLevel:Microsoft.EntityFrameworkCore.Database.Command"] = "Information" },
            services =>
            {
                services.Replace(ServiceDescriptor.Singleton<IPasswordHasher<User>>(hashes));
                services.Replace(ServiceDescriptor.Singleton<IAuditTrail, SilentTrail>());
                services.AddSingleton<ILoggerProvider>(statements);
            });
        var client = new AuthClient(host.Api);
        var known = await client.RegisterAsync();
        var other = AuthClient.NewAddress();
        await client.RegisterAsync(other);
        await Eventually.TrueAsync(() => host.MailsTo("email_verification", other).Any(), TimeSpan.FromSeconds(30));
        await Eventually.TrueAsync(() => host.MailsTo("email_verification", known).Any(), TimeSpan.FromSeconds(30));

        await SameAsync("login", "1 hashes; SELECT, SELECT; ratelimits acquire, ratelimits acquire, sessions generation", email => client.TryLoginAsync(email, "wrong password"));
        var device = (await client.TryLoginAsync(known)).Json.GetProperty("deviceToken").GetString();
        await SameAsync(
            "login with another's device",
            "1 hashes; SELECT, SELECT; ratelimits acquire, ratelimits acquire, sessions generation",
            email => client.PostAsync("/api/auth/login", new { email, password = "wrong password", deviceToken = device }),
            other);
        await SameAsync("forgot", "0 hashes; ; ratelimits acquire", email => client.PostAsync("/api/auth/forgot-password", new { email }));
        await SameAsync("resend", "0 hashes; ; ratelimits acquire", email => client.PostAsync("/api/auth/verify-email/resend", new { email }));
        await SameAsync("register", "1 hashes; SELECT, INSERT; ratelimits acquire", email => client.PostAsync("/api/auth/register", new { email, password = "another good password", name = "Ann" }));

        // That the same was done for both includes that the account is still its owner's.
        await client.LoginAsync(known);
        (await client.TryLoginAsync(known, "another good password")).Status.ShouldBe(HttpStatusCode.Unauthorized);

        async Task SameAsync(string what, string expected, Func<string, Task<Reply>> send, string? address = null)
        {
            address ??= known;
            await send(AuthClient.NewAddress());
            var unknown = AuthClient.NewAddress();
            var first = await WorkAsync(() => send(address));
            var second = await WorkAsync(() => send(unknown));
            second.Work.ShouldBe(first.Work, what);
            first.Work.ShouldBe(expected, what);
            second.Reply.Status.ShouldBe(first.Reply.Status, what);
            Plain(second.Reply, unknown).ShouldBe(Plain(first.Reply, address), what);
            second.Reply.Headers.Keys.Order().ShouldBe(first.Reply.Headers.Keys.Order(), what);
        }

        async Task<(Reply Reply, string Work)> WorkAsync(Func<Task<Reply>> send)
        {
            var hashed = hashes.Count;
            statements.Verbs.Clear();
            // Goes with the request, so that the host's spans are of this trace; those of the mail behind it are not.
            using var trace = new Activity("asked").Start();
            var reply = await send();
            return (reply, $"{hashes.Count - hashed} hashes; {string.Join(", ", statements.Verbs)}; {string.Join(", ", calls.Of(trace.TraceId))}");
        }
    }

    private static string Plain(Reply reply, string email)
    {
        var text = reply.Text.Replace(email, "<address>", StringComparison.Ordinal);
        var trace = text.IndexOf("\"traceId\"", StringComparison.Ordinal);
        return trace < 0 ? text : text[..trace];
    }

    private sealed class CountingHasher : IPasswordHasher<User>
    {
        private readonly PasswordHasher<User> inner = new();
        private int count;

        public int Count => Volatile.Read(ref count);

        public string HashPassword(User user, string password)
        {
            Interlocked.Increment(ref count);
            return inner.HashPassword(user, password);
        }

        public PasswordVerificationResult VerifyHashedPassword(User user, string hashedPassword, string providedPassword)
        {
            Interlocked.Increment(ref count);
            return inner.VerifyHashedPassword(user, hashedPassword, providedPassword);
        }
    }

    /// <summary>The SQL statements of requests; not those of the mail behind them, which come later.</summary>
    private sealed class StatementLog : ILoggerProvider, ILogger
    {
        private static readonly EventId Executed = new(20101);

        public ConcurrentQueue<string> Verbs { get; } = [];

        public ILogger CreateLogger(string categoryName) => this;

        public bool IsEnabled(LogLevel logLevel) => true;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (eventId.Id == Executed.Id && Activity.Current is not null)
            {
                var message = formatter(state, exception);
                Verbs.Enqueue(message[(message.IndexOf('\n', StringComparison.Ordinal) + 1)..].Trim().Split(' ', 2)[0]);
            }
        }

        public void Dispose()
        {
        }
    }

    /// <summary>The calls of stores, by trace.</summary>
    private sealed class StoreCalls : IDisposable
    {
        private readonly ConcurrentQueue<(ActivityTraceId Trace, string Call)> calls = [];
        private readonly ActivityListener listener;

        public StoreCalls()
        {
            listener = new ActivityListener
            {
                ShouldListenTo = source => source.Name == StorageTrace.SourceName,
                Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
                ActivityStopped = span => calls.Enqueue((span.TraceId, span.OperationName)),
            };
            ActivitySource.AddActivityListener(listener);
        }

        public IEnumerable<string> Of(ActivityTraceId trace) => calls.Where(call => call.Trace == trace).Select(call => call.Call);

        public void Dispose() => listener.Dispose();
    }

    /// <summary>Writes no rows behind the requests, so that every row seen is a request's own.</summary>
    private sealed class SilentTrail : IAuditTrail
    {
        public void Record(AuditEvent what)
        {
        }

        public AuditRecord Prepare(AuditEvent what) => new() { At = TimeProvider.System.GetUtcNow(), Action = what.Action };
    }
}
