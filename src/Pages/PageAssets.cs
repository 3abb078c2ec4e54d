using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Maintenance.Pages;

/// <summary>A file that the pages load, from this assembly.</summary>
/// <param name="Path">Relative address; it holds a hash of the content, so that a browser may keep it for ever.</param>
/// <param name="ContentType">Its type.</param>
/// <param name="Content">Its bytes.</param>
public sealed record PageAsset(string Path, string ContentType, ReadOnlyMemory<byte> Content);

/// <summary>Stylesheet, script and icon. They hold nothing secret, so they are served to everybody.</summary>
public static class PageAssets
{
    /// <summary>First part of every asset's address.</summary>
    public const string Folder = "assets";

    /// <summary>The stylesheet.</summary>
    public static PageAsset Style { get; } = Load("pages", ".css", "text/css; charset=utf-8");

    /// <summary>The script. Every page works without it.</summary>
    public static PageAsset Script { get; } = Load("pages", ".js", "text/javascript; charset=utf-8");

    /// <summary>The icon of the browser's tab.</summary>
    public static PageAsset Icon { get; } = Load("icon", ".svg", "image/svg+xml");

    /// <summary>Serves them.</summary>
    public static RouteGroupBuilder MapPageAssets(this IEndpointRouteBuilder endpoints)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        var assets = endpoints.MapGroup("");
        foreach (var asset in new[] { Style, Script, Icon })
        {
            assets.MapGet(asset.Path, (HttpContext context) =>
            {
                PageHeaders.Set(context.Response);
                context.Response.Headers.CacheControl = "public, max-age=31536000, immutable";
                return TypedResults.Bytes(asset.Content, asset.ContentType);
            }).ExcludeFromDescription();
        }

        return assets;
    }

    private static PageAsset Load(string name, string extension, string contentType)
    {
        using var stream = typeof(PageAssets).Assembly.GetManifestResourceStream($"Assets/{name}{extension}")!;
        var content = new byte[stream.Length];
        stream.ReadExactly(content);
        var hash = Convert.ToHexStringLower(SHA256.HashData(content))[..16];
        return new PageAsset($"{Folder}/{name}.{hash}{extension}", contentType, content);
    }
}
