"""Large bodies: a gigabyte in and out, at what memory."""
