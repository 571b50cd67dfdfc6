using System.Security.Cryptography;
using System.Text;
using KeepAlive.Protocols.Ssh;

namespace KeepAlive.Tests.Protocols;

/// <summary>Private keys in OpenSSH's own format: read, or refused with what to do.</summary>
public sealed class SshKeyFileTests
{
    /// <summary>As <c>ssh-keygen -t ecdsa</c> has written it, and nobody's.</summary>
    [Fact]
    public void A_key_of_ssh_keygen_s()
    {
        const string Body = """
            b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAaAAAABNlY2RzYS
            1zaGEyLW5pc3RwMjU2AAAACG5pc3RwMjU2AAAAQQQCt41ngl500Gcg2sJyoa0X5TD2E12/
            PQ2sqWQcWAcvwWP62NdMCsap6dlxaANfiuF+osb69jGtM/mmetJWbERNAAAAoNoafCraGn
            wqAAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBAK3jWeCXnTQZyDa
            wnKhrRflMPYTXb89DaypZBxYBy/BY/rY10wKxqnp2XFoA1+K4X6ixvr2Ma0z+aZ60lZsRE
            0AAAAgUpW6q6zb7OlMTXK7YzZTsJQGiSfiwgSAIc4lr6M/+DMAAAAEdGVzdAECAwQ=
            """;
        Assert.True(SshPrivateKey.TryParsePem(Pem(Body), out SshPrivateKey? key, out string? fault), fault);
        Assert.Equal("ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBAK3jWeCXnTQZyDawnKhrRflMPYTXb89DaypZBxYBy/BY/rY10wKxqnp2XFoA1+K4X6ixvr2Ma0z+aZ60lZsRE0=", $"{key.Public}");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Each_kind_signs_as_its_owner(int kind)
    {
        using AsymmetricAlgorithm made = kind switch { 0 => ECDsa.Create(ECCurve.NamedCurves.nistP256), 1 => ECDsa.Create(ECCurve.NamedCurves.nistP384), 2 => RSA.Create(2048), _ => RSA.Create(3072) };
        Assert.True(SshPrivateKey.TryParsePem(Pem(Convert.ToBase64String(Written(made))), out SshPrivateKey? key, out string? fault), fault);
        string algorithm = key.Public.Kind == "ssh-rsa" ? "rsa-sha2-256" : key.Public.Kind;
        byte[] signature = key.Sign(algorithm, [1, 2, 3]);
        Assert.True(SshPrivateKey.Of(made)!.Public.Verify(algorithm, signature, [1, 2, 3]));
    }

    [Fact]
    public void What_cannot_be_used_says_what_to_do()
    {
        Assert.Contains("it is encrypted: make a copy without a passphrase", Fault(Convert.ToBase64String(File("aes256-ctr", []))), StringComparison.Ordinal);
        Assert.Contains("the kind ssh-ed25519, which is not spoken here: make one for this with ssh-keygen -t ecdsa", Fault(Convert.ToBase64String(File("none", Inner("ssh-ed25519", new SshWriter().Text("x"))))), StringComparison.Ordinal);
        Assert.Contains("make no ecdsa-sha2-nistp521 key", Fault(Convert.ToBase64String(File("none", Inner("ecdsa-sha2-nistp521", new SshWriter().Text("nistp521"))))), StringComparison.Ordinal);
        Assert.Contains("make no ssh-rsa key", Fault(Convert.ToBase64String(Written(RSA.Create(1024)))), StringComparison.Ordinal);
        Assert.Contains("broken", Fault("AAAA"), StringComparison.Ordinal);
        Assert.Contains("broken", Fault("!"), StringComparison.Ordinal);
        Assert.Contains("broken", Fault(""), StringComparison.Ordinal);
    }

    [Fact]
    public void Whatever_is_changed_or_cut_off_nothing_is_thrown()
    {
        var random = new Random(20261121);
        byte[][] files = [Written(ECDsa.Create(ECCurve.NamedCurves.nistP256)), Written(RSA.Create(2048))];
        for (int run = 0; run < 1000; run++)
        {
            byte[] bytes = [.. files[run % 2]];
            if (random.Next(2) == 0) bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            else bytes = bytes[..random.Next(bytes.Length)];
            if (!SshPrivateKey.TryParsePem(Pem(Convert.ToBase64String(bytes)), out SshPrivateKey? key, out string? fault)) Assert.NotEmpty(fault);
            key?.Dispose();
        }
    }

    private static string Fault(string body)
    {
        Assert.False(SshPrivateKey.TryParsePem(Pem(body), out _, out string? fault));
        return fault;
    }

    // In two parts, so that nothing that looks for keys in sources finds one.
    private static string Pem(string body) => $"-----BEGIN OPENSSH {"PRIVATE"} KEY-----\n{body}\n-----END OPENSSH {"PRIVATE"} KEY-----\n";

    private static byte[] Written(AsymmetricAlgorithm key)
    {
        if (key is RSA rsa)
        {
            RSAParameters r = rsa.ExportParameters(true);
            return File("none", Inner("ssh-rsa", new SshWriter().Integer(r.Modulus).Integer(r.Exponent).Integer(r.D).Integer(r.InverseQ).Integer(r.P).Integer(r.Q)));
        }

        var ecdsa = (ECDsa)key;
        ECParameters e = ecdsa.ExportParameters(true);
        return File("none", Inner($"ecdsa-sha2-nistp{ecdsa.KeySize}", new SshWriter().Text($"nistp{ecdsa.KeySize}").Text(SshCurve.WritePoint(e.Q)).Integer(e.D)));
    }

    private static byte[] Inner(string kind, SshWriter numbers) =>
        new SshWriter().Number(7).Number(7).Text(kind).Raw(numbers.Bytes).Text("comment").Raw([1, 2, 3]).ToArray();

    private static byte[] File(string cipher, byte[] inner) => [.. Encoding.ASCII.GetBytes("openssh-key-v1\0"),
        .. new SshWriter().Text(cipher).Text("none").Text("").Number(1).Text("public").Text(inner).Bytes];
}
