"""Where things are kept and handed out: archive, layers, publication, queries, reports. Storage code only; the data live in $STI_HOME."""
