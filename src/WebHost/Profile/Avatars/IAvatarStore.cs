namespace Maintenance.WebHost.Profile.Avatars;

/// <summary>Keeps pictures of users. Names are random and unguessable; a new picture has a new name, so that it may be cached for ever.</summary>
internal interface IAvatarStore
{
    /// <summary>Keeps a picture.</summary>
    /// <returns>Its name.</returns>
    Task<string> SaveAsync(AvatarImage image, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken);

    /// <summary>Opens a picture; null when there is none of this name.</summary>
    StoredAvatar? Open(string name);

    /// <summary>Deletes a picture; one that is not there is as good as deleted.</summary>
    void Delete(string name);
}

/// <summary>A picture to send.</summary>
/// <param name="Content">Its bytes.</param>
/// <param name="ContentType">Its type.</param>
internal sealed record StoredAvatar(Stream Content, string ContentType);
