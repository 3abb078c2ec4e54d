using Maintenance.WebHost.Hosting;
using Maintenance.WebHost.Profile.Avatars.Cleaning;
using Maintenance.WebHost.RateLimits;
using Maintenance.WebHost.Sessions;
using Maintenance.WebHost.Users;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Identity;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.Options;

namespace Maintenance.WebHost.Profile.Avatars;

/// <summary>The picture of a user: sent as the body itself, or as the field <c>file</c> of a form; read by anybody who knows its name.</summary>
internal static class AvatarEndpoints
{
    private const string Path = "/api/auth/avatars/";

    // A form has some bytes around the file.
    private const int FormOverhead = 8 * 1024;

    public static string UrlOf(string name) => Path + name;

    public static IEndpointRouteBuilder MapAvatars(this IEndpointRouteBuilder auth)
    {
        auth.MapPost("profile/avatar", ReplaceAsync)
            .WithMetadata(new RequestSizeLimitAttribute(AvatarOptions.MaxBytes + FormOverhead))
            .Accepts<IFormFile>("multipart/form-data", "image/png", "image/jpeg", "image/webp")
            .Produces<AvatarView>()
            .ProducesProblem(StatusCodes.Status409Conflict)
            .RequireAuthorization()
            .RequireRateLimiting(Limits.Sensitive)
            .WithSummary("Sets the picture: PNG, JPEG or WebP of at most 2 MiB; what it says of place, time and camera is taken out.");
        auth.MapDelete("profile/avatar", (HttpContext context, UserManager<User> users, IAvatarStore avatars) => StoreAsync(context, users, avatars, name: null))
            .Produces(StatusCodes.Status204NoContent)
            .ProducesProblem(StatusCodes.Status409Conflict)
            .RequireAuthorization()
            .RequireRateLimiting(Limits.User)
            .WithSummary("Removes the picture.");
        auth.MapGet("avatars/{name}", Read)
            .Produces(StatusCodes.Status200OK, contentType: "image/png", additionalContentTypes: ["image/jpeg", "image/webp"])
            .ProducesProblem(StatusCodes.Status404NotFound)
            .RequireRateLimiting(Limits.Public)
            .WithSummary("A picture by its name.");
        return auth;
    }

    private static async Task<IResult> ReplaceAsync(
        HttpContext context, UserManager<User> users, IAvatarStore avatars, IOptions<AvatarOptions> options, CancellationToken stop)
    {
        var bytes = await ReadAsync(context, stop);
        if (bytes.Length > AvatarOptions.MaxBytes)
        {
            return Problems.Of(StatusCodes.Status413PayloadTooLarge, "too_large", $"The picture is larger than {AvatarOptions.MaxBytes} bytes.");
        }

        if (AvatarImage.Read(bytes) is not { } image)
        {
            return Problems.Of(StatusCodes.Status415UnsupportedMediaType, "unsupported_image", "The file is no PNG, JPEG or WebP picture.");
        }

        var most = options.Value.MaxSide;
        if (image.Width > most || image.Height > most)
        {
            return Problems.Invalid("file", $"The picture is {image.Width} × {image.Height} pixels; at most {most} × {most} are accepted.");
        }

        if (AvatarCleaning.Clean(image, bytes) is not { } clean)
        {
            return Problems.Of(StatusCodes.Status415UnsupportedMediaType, "unsupported_image", "The picture is damaged.");
        }

        var name = await avatars.SaveAsync(image, clean, stop);
        var result = await StoreAsync(context, users, avatars, name);
        return result is Microsoft.AspNetCore.Http.HttpResults.NoContent ? TypedResults.Ok(new AvatarView(UrlOf(name))) : result;
    }

    private static async Task<IResult> StoreAsync(HttpContext context, UserManager<User> users, IAvatarStore avatars, string? name)
    {
        var user = await users.FindByIdAsync(context.User.UserId());
        var old = user?.Avatar;
        if (user is { DisabledAt: null })
        {
            user.Avatar = name;
            bool stored;
            try
            {
                stored = (await users.UpdateAsync(user)).Succeeded;
            }
            catch
            {
                // Should the row have been written all the same, it names a picture that is not there, and the user sets it again.
                Delete(name);
                throw;
            }

            if (stored)
            {
                Delete(old);
                return TypedResults.NoContent();
            }
        }

        Delete(name);
        return user is { DisabledAt: null }
            ? Problems.Of(StatusCodes.Status409Conflict, "conflict", "The account was changed at the same time. Try again.")
            : Problems.Unauthorized();

        void Delete(string? picture)
        {
            if (picture is not null)
            {
                avatars.Delete(picture);
            }
        }
    }

    private static IResult Read(string name, HttpContext context, IAvatarStore avatars)
    {
        if (avatars.Open(name) is not { } avatar)
        {
            return Problems.NotFound("There is no such picture.");
        }

        // A new picture has a new name.
        context.Response.Headers.CacheControl = "public, max-age=31536000, immutable";
        return TypedResults.Stream(avatar.Content, avatar.ContentType);
    }

    private static async Task<byte[]> ReadAsync(HttpContext context, CancellationToken stop)
    {
        if (!context.Request.HasFormContentType)
        {
            return await CopyAsync(context.Request.Body, stop);
        }

        IFormCollection form;
        try
        {
            form = await context.Request.ReadFormAsync(
                new FormOptions { ValueCountLimit = 16, KeyLengthLimit = 256, ValueLengthLimit = 1024, MultipartHeadersLengthLimit = 4096, MultipartBodyLengthLimit = AvatarOptions.MaxBytes + FormOverhead },
                stop);
        }
        catch (Exception exception) when (exception is InvalidDataException or IOException && exception is not BadHttpRequestException)
        {
            throw new BadHttpRequestException("The form cannot be read.", exception);
        }

        if (form.Files.GetFile("file") is not { } file)
        {
            return [];
        }

        await using var content = file.OpenReadStream();
        return await CopyAsync(content, stop);
    }

    private static async Task<byte[]> CopyAsync(Stream source, CancellationToken stop)
    {
        using var copy = new MemoryStream();
        await source.CopyToAsync(copy, stop);
        return copy.ToArray();
    }
}
