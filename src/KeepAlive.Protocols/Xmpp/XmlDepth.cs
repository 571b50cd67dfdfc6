using System.Text;

namespace KeepAlive.Protocols.Xmpp;

/// <summary>How deep in elements a stream of XML is, as XMPP allows it: no comments, no declarations of types (RFC 6120 section 11.1).</summary>
internal struct XmlDepth
{
    private const int NameBytesMax = 64;
    private const int DepthMax = 1000;

    private Part _part;
    private byte _quote;
    private byte _before;
    private int _matched;
    private StringBuilder? _name;
    private bool _isEndTag;

    private enum Part : byte
    {
        Text,
        Open,
        Name,
        Tag,
        Quoted,
        Declaration,
        Special,
        Data,
    }

    /// <summary>Elements that are open; 1 between two stanzas of a stream.</summary>
    public int Depth { get; private set; }

    /// <summary>Not inside a tag.</summary>
    public readonly bool IsInText => _part == Part.Text;

    /// <summary>A new stream begins inside the one that was, which counts no more (RFC 6120 section 4.3.3).</summary>
    public void RestartAt(int depth) => Depth = depth;

    /// <summary>Takes a byte.</summary>
    /// <param name="b">It.</param>
    /// <param name="opened">The name of an element that has just been opened; null for none.</param>
    /// <returns>False: not such a stream.</returns>
    public bool Take(byte b, out string? opened)
    {
        opened = null;
        byte before = _before;
        _before = b;
        switch (_part)
        {
            case Part.Text:
                if (b == '<') _part = Part.Open;
                return true;
            case Part.Open:
                return TakeOpen(b);
            case Part.Name:
                if (b is (byte)'>' or (byte)'/' or (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n') return TakeNameEnd(b, out opened);
                if (_name!.Length < NameBytesMax) _name.Append((char)b);
                return b is not ((byte)'<' or (byte)'"' or (byte)'\'');
            case Part.Tag:
                return TakeTag(b, before);
            case Part.Quoted:
                if (b == _quote) _part = Part.Tag;
                return b != '<';
            case Part.Declaration:
                if (b == '>' && before == '?') _part = Part.Text;
                return true;
            case Part.Special:
                // <![CDATA[ is the only one there may be.
                if (b != "[CDATA["u8[_matched]) return false;
                if (++_matched == 7) _part = Part.Data;
                return true;
            default:
                _matched = b == ']' ? Math.Min(_matched + 1, 9) : b == '>' && _matched >= 9 ? 10 : 7;
                if (_matched == 10) _part = Part.Text;
                return true;
        }
    }

    private bool TakeOpen(byte b)
    {
        (_isEndTag, _matched) = (b == '/', 0);
        _part = b switch { (byte)'/' => Part.Tag, (byte)'?' => Part.Declaration, (byte)'!' => Part.Special, _ => Part.Name };
        if (_part == Part.Name) (_name ??= new StringBuilder()).Clear().Append((char)b);
        return b > ' ' && b is not ((byte)'>' or (byte)'<');
    }

    private bool TakeNameEnd(byte b, out string? opened)
    {
        opened = _name!.ToString();
        _name = null;
        Depth++;
        _part = Part.Tag;
        return TakeTag(b, 0);
    }

    private bool TakeTag(byte b, byte before)
    {
        if (b is (byte)'"' or (byte)'\'') (_part, _quote) = (Part.Quoted, b);
        if (b != '>') return b != '<';
        _part = Part.Text;
        if (_isEndTag || before == '/') Depth--;
        return Depth is >= 0 and <= DepthMax;
    }
}
