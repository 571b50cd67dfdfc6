namespace KeepAlive.Protocols.MySql;

/// <summary>What an answer consists of.</summary>
internal enum MySqlShape : byte
{
    /// <summary>An OK, an EOF or an error.</summary>
    One,

    /// <summary>One packet, whatever it is.</summary>
    Any,

    /// <summary>As one, or columns and rows, or the demand for a file.</summary>
    Result,

    /// <summary>What a statement takes and gives.</summary>
    Prepared,

    /// <summary>Packets up to an EOF.</summary>
    Rows,

    /// <summary>A login, which takes several.</summary>
    Login,

    /// <summary>Nothing at all.</summary>
    None,
}

/// <summary>Where the answer to the oldest open command stands.</summary>
internal struct MySqlAnswer
{
    private readonly bool _isEofDeprecated;
    private readonly MySqlShape _shape;
    private Part _part;
    private int _definitions;
    private int _more;

    private enum Part : byte
    {
        First,
        Definitions,
        DefinitionsEnd,
        Rows,
        Over,
    }

    public MySqlAnswer(MySqlShape shape, bool isEofDeprecated) =>
        (_shape, _isEofDeprecated, _part) = (shape, isEofDeprecated, shape == MySqlShape.Rows ? Part.Rows : Part.First);

    /// <summary>Nothing of it is to come.</summary>
    public readonly bool IsOver => _part == Part.Over;

    /// <summary>The client is to send a file.</summary>
    public bool WantsFile { get; private set; }

    /// <summary>What it said last of the session; null for nothing.</summary>
    public MySqlStatus? Status { get; private set; }

    /// <summary>Takes a packet of it.</summary>
    /// <returns>False: it is none.</returns>
    public bool Take(MySqlPacket packet)
    {
        if (packet.IsProgress) return true;
        bool isEof = packet.IsEof(_isEofDeprecated);
        switch (_part)
        {
            case Part.First:
                return TakeFirst(packet, isEof);
            case Part.Definitions:
                if (--_definitions == 0) EndDefinitions();
                return true;
            case Part.DefinitionsEnd:
                if (!isEof) return false;
                Status = packet.Status(isEof: true);
                // Rows of a cursor are fetched by commands of their own.
                if (_shape == MySqlShape.Result) _part = Status is { HasCursor: true } ? Part.Over : Part.Rows;
                else NextDefinitions();
                return Status is not null;
            default:
                if (packet.Kind == MySqlPacket.Error) _part = Part.Over;
                return !isEof || End(packet, isEof: !_isEofDeprecated);
        }
    }

    private bool TakeFirst(MySqlPacket packet, bool isEof)
    {
        WantsFile = false;
        switch (packet.Kind)
        {
            case MySqlPacket.Error:
                _part = Part.Over;
                return true;
            case MySqlPacket.Ok when _shape == MySqlShape.Prepared:
                if (packet.Payload.Length < 9) return false;
                (_more, _definitions) = (packet.Payload[5] | (packet.Payload[6] << 8), packet.Payload[7] | (packet.Payload[8] << 8));
                if (_definitions == 0) NextDefinitions();
                else _part = Part.Definitions;
                return true;
            case MySqlPacket.Ok when packet.Length > 0 && _shape != MySqlShape.Any:
                return End(packet, isEof: false);
            case MySqlPacket.LocalInfile when _shape == MySqlShape.Result:
                WantsFile = true;
                return true;
        }

        if (_shape == MySqlShape.Login) return true; // another way is asked for, or more is
        if (_shape == MySqlShape.Any || isEof)
        {
            _part = Part.Over;
            return true;
        }

        if (_shape != MySqlShape.Result) return false;
        ReadOnlySpan<byte> at = packet.Payload;
        if (MySqlPacket.Number(ref at) is not ({ } columns and > 0 and <= 0xFFFF)) return false;
        _definitions = (int)columns;
        if (at is [0]) EndDefinitions(); // MariaDB's client knows them already
        else _part = Part.Definitions;
        return true;
    }

    // An EOF follows them where both ends have not agreed to do without.
    private void EndDefinitions()
    {
        if (!_isEofDeprecated) _part = Part.DefinitionsEnd;
        else if (_shape == MySqlShape.Result) _part = Part.Rows;
        else NextDefinitions();
    }

    private void NextDefinitions()
    {
        (_definitions, _more) = (_more, 0);
        _part = _definitions > 0 ? Part.Definitions : Part.Over;
    }

    private bool End(MySqlPacket packet, bool isEof)
    {
        Status = packet.Status(isEof);
        _part = Status is { HasMoreResults: true } ? Part.First : Part.Over;
        return Status is not null;
    }
}
