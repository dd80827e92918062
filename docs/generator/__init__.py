"""What the documentation site needs beside Sphinx: small extensions, a file each."""
