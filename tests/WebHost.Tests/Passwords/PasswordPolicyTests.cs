using System.Security.Cryptography;
using System.Text;
using Maintenance.Testing;
using Maintenance.WebHost.Passwords;
using Microsoft.Extensions.Options;

namespace Maintenance.WebHost.Tests.Passwords;

public sealed class PasswordPolicyTests
{
    [Theory]
    [InlineData("short-77777", "at least 12")]
    [InlineData("password1234", "known to attackers")]
    [InlineData("PassWord1234", "known to attackers")]
    [InlineData("aaaaaaaaaaaa", "known to attackers")]
    [InlineData("ANN@example.com", "own name")]
    [InlineData("AnnaBella Smith", "own name")]
    public async Task Refusal_SaysWhy(string password, string reason) =>
        (await Policy().RefusalAsync(password, "ann@example.com", "annabella smith", default)).ShouldNotBeNull().ShouldContain(reason);

    [Theory]
    [InlineData("correct horse battery")]
    [InlineData("           x")]
    [InlineData("пароль-длинный")]
    public async Task Refusal_IsNull_WhateverKindsOfCharactersThereAre(string password) =>
        (await Policy().RefusalAsync(password, "ann@example.com", "Ann", default)).ShouldBeNull();

    [Fact]
    public async Task List_HoldsThePasswordsOfTheFile_AsTheyAreAndAsHashes()
    {
        var file = Path.GetTempFileName();
#pragma warning disable CA5350
        var hashed = Convert.ToHexString(SHA1.HashData(Encoding.UTF8.GetBytes("leaked as a hash")));
#pragma warning restore CA5350
        await File.WriteAllLinesAsync(file, ["leaked as it is", $"{hashed}:42"]);
        var list = new BreachedPasswordList(Options.Create(new PasswordSettings { BreachedListFile = file }));

        (await list.ContainsAsync("leaked as it is", default)).ShouldBeTrue();
        (await list.ContainsAsync("leaked as a hash", default)).ShouldBeTrue();
        (await list.ContainsAsync("not leaked at all", default)).ShouldBeFalse();
        File.Delete(file);
    }

    private static PasswordPolicy Policy() =>
        new(new FixedOptions<PasswordSettings>(new PasswordSettings()), new BreachedPasswordList(Options.Create(new PasswordSettings())));
}
