using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Maintenance.Deploy.Tests.Images;

/// <summary>The Dockerfiles as text: no engine builds them here, so they are kept to what can be read.</summary>
public sealed class DockerfileTests
{
    private static readonly string[] Allowed = ["ARG", "FROM", "LABEL", "WORKDIR", "COPY", "ENV", "EXPOSE", "USER", "ENTRYPOINT"];

    [Theory]
    [InlineData("worker", "Worker")]
    [InlineData("webhost", "WebHost")]
    public void Image_IsChiseled_WithoutRootAndShell_AndCopiesThePublishedFolder(string image, string project)
    {
        var lines = Instructions(image);

        // Nothing runs in the build, because there is no shell.
        lines.Select(line => line.Split(' ')[0]).Distinct(StringComparer.Ordinal).Except(Allowed).ShouldBeEmpty();
        lines[0].ShouldBe("ARG BASE=mcr.microsoft.com/dotnet/runtime-deps:10.0-noble-chiseled");
        lines[1].ShouldBe("FROM ${BASE}");
        lines.ShouldContain($"COPY artifacts/publish/{image}/ ./");
        lines.ShouldContain("USER 1654:1654");
        lines[^1].ShouldBe($"ENTRYPOINT [\"/app/Maintenance.{project}\"]");
        lines.Single(line => line.StartsWith("LABEL ", StringComparison.Ordinal)).ShouldContain("org.opencontainers.image.licenses=\"Apache-2.0\"");
        RepositoryFile.Read($"deploy/docker/{image}.Dockerfile.dockerignore").ShouldStartWith($"*\n!artifacts/publish/{image}\n", Case.Sensitive, "secrets and sources stay out of the context");
    }

    [Theory]
    [InlineData("worker", "Worker")]
    [InlineData("webhost", "WebHost")]
    public void SdksContainerSettings_NameTheSameBaseUserPortsAndEnvironment(string image, string project)
    {
        var lines = Instructions(image);
        var properties = XDocument.Parse(RepositoryFile.Read("src/Directory.Build.props")).Root!;

        properties.Descendants("ContainerFamily").Single().Value.ShouldBe("noble-chiseled");
        lines.ShouldContain($"USER {properties.Descendants("ContainerUser").Single().Value}:1654");
        var ports = properties.Elements("ItemGroup")
            .Where(group => (string?)group.Attribute("Condition") == $"'$(MSBuildProjectName)' == '{project}'")
            .Elements("ContainerPort")
            .Select(port => (string?)port.Attribute("Include"));
        lines.ShouldContain($"EXPOSE {string.Join(' ', ports)}");
        var environment = lines.Where(line => line.StartsWith("ENV ", StringComparison.Ordinal)).SelectMany(line => line[4..].Split(' ', StringSplitOptions.RemoveEmptyEntries));
        // Which the SDK's base image says of itself.
        environment.Where(variable => variable != "DOTNET_RUNNING_IN_CONTAINER=true").Order().ShouldBe(
            properties.Descendants("ContainerEnvironmentVariable").Select(variable => $"{(string?)variable.Attribute("Include")}={(string?)variable.Attribute("Value")}").Order());
    }

    private static List<string> Instructions(string image) =>
    [
        .. Regex.Replace(RepositoryFile.Read($"deploy/docker/{image}.Dockerfile"), @"\\\n\s*", "")
            .Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Where(line => !line.StartsWith('#')),
    ];
}
