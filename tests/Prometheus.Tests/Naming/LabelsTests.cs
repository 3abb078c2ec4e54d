using Maintenance.Prometheus.Naming;

namespace Maintenance.Prometheus.Tests.Naming;

public class LabelsTests
{
    [Fact]
    public void Render_SortsByLabelName_WhateverTheOrderOfTheTags()
    {
        Render([new("b", "2"), new("a", "1")]).ShouldBe("a=\"1\",b=\"2\"");
        Render([new("a", "1"), new("b", "2")]).ShouldBe("a=\"1\",b=\"2\"");
    }

    [Fact]
    public void Render_EscapesBackslashQuoteAndLineFeed_InValues() =>
        Render([new("a", "C:\\dir \"x\"\nend")]).ShouldBe("""a="C:\\dir \"x\"\nend" """.TrimEnd());

    [Theory]
    [InlineData("http.request.method", "http_request_method")]
    [InlineData("__name__", "_name_")]
    [InlineData("1st", "_1st")]
    [InlineData("", "_")]
    [InlineData("le", "le")]
    public void Render_MakesAValidLabelName_FromAnyKey(string key, string expected) => Render([new(key, "v")]).ShouldBe($"{expected}=\"v\"");

    [Fact]
    public void Render_LeavesOutALabel_WhenItsValueIsNullOrEmpty() =>
        Render([new("a", null), new("b", ""), new("c", "x")]).ShouldBe("c=\"x\"");

    [Fact]
    public void Render_WritesValuesWithoutCulture_WhenTheyAreNotStrings() =>
        Render([new("a", true), new("b", 1.5), new("c", 42), new("d", DayOfWeek.Friday)]).ShouldBe("a=\"true\",b=\"1.5\",c=\"42\",d=\"Friday\"");

    [Fact]
    public void Render_JoinsValuesInOrderOfTheKeys_WhenTwoKeysBecomeOneLabel() =>
        Render([new("a_b", "2"), new("a.b", "1")]).ShouldBe("a_b=\"1;2\"");

    [Fact]
    public void Render_TakesTheMeasurementsTag_WhenAConstantTagHasTheSameKey() =>
        Labels.Render([new("a", "meter"), new("b", "meter")], [new("a", "own")], isHistogram: false).ShouldBe("a=\"own\",b=\"meter\"");

    [Fact]
    public void Render_RenamesLe_OnHistogramsOnly() => Labels.Render([], [new("le", "5")], isHistogram: true).ShouldBe("exported_le=\"5\"");

    private static string Render(KeyValuePair<string, object?>[] tags) => Labels.Render([], tags, isHistogram: false);
}
