"""An FTP session as a Python program has it. Prints one JSON object: the transfer's final reply and the next command's."""
import ftplib
import json
import sys
import time

host, port, user, password, direction, mode, rate, remote, local, patience = sys.argv[1:]
rate = int(rate)
said = {}


class Limited:
    """A file that is read no faster than the rate."""

    def __init__(self, file):
        self.file = file

    def read(self, size):
        block = self.file.read(size)
        if rate:
            time.sleep(len(block) / rate)
        return block


session = ftplib.FTP(timeout=float(patience))
try:
    session.connect(host, int(port))
    session.login(user, password)
    session.set_pasv(mode != "Active")
    if mode == "ExtendedPassive":
        session.makepasv = lambda: ftplib.parse229(session.sendcmd("EPSV"), session.sock.getpeername())
    with open(local, "wb" if direction == "get" else "rb") as file:
        if direction == "get":
            def keep(block):
                file.write(block)
                if rate:
                    time.sleep(len(block) / rate)
            said["final"] = session.retrbinary("RETR " + remote, keep, blocksize=8192)
        else:
            said["final"] = session.storbinary("STOR " + remote, Limited(file), blocksize=8192)
    said["next"] = session.sendcmd("PWD")
    session.close()
except (OSError, EOFError, ftplib.Error) as error:
    said["error"] = repr(error)
print(json.dumps(said))
