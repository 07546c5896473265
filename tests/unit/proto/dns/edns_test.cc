// edns
