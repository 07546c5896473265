"""What is asked: everything odd that the small internet has (deploy/testnet/README.md)."""

QUESTIONS = [
    # Plain data, several types.
    "www.clean.example A", "www.clean.example AAAA", "www.clean.example HTTPS", "clean.example MX", "clean.example TXT",
    "clean.example NS", "clean.example SOA", "_sip._tcp.clean.example SRV", "odd.clean.example TYPE65400",
    "www.plain.test A", "plain.test NS", "plain.test SOA", ". NS", ". SOA", "example NS", "test SOA",
    # Denials.
    "nx.clean.example A", "a.b.c.nx.clean.example A", "www.clean.example MX", "b.ent.clean.example A", "ent.clean.example TXT",
    "nx.plain.test A", "www.plain.test MX", "nx.nsec3.example A", "www.nsec3.example MX", "nx.optout.example A",
    "nx.example A", "nx.test A", "nxtld A",
    # Aliases.
    "alias.clean.example A", "alias.clean.example AAAA", "alias.clean.example MX", "alias.clean.example CNAME",
    "chain1.clean.example A", "cross.clean.example A", "nowhere.clean.example A", "loop1.clean.example A",
    "host.old.clean.example A", "nx.old.clean.example A", "old.clean.example DNAME", "old.clean.example A",
    "alias.rsa.example A", "alias.nsec3.example A",
    # Wildcards.
    "x.wild.clean.example A", "a.b.wild.clean.example A", "x.wild.clean.example MX", "wild.clean.example A",
    "x.wild.nsec3.example A", "x.wild.nsec3.example MX", "*.wild.clean.example A",
    # Keys.
    "clean.example DNSKEY", "clean.example DS", "plain.test DS", "sub.clean.example DS", "child.optout.example DS",
    "example DNSKEY", ". DNSKEY", "www.clean.example DS", "nx.clean.example DS",
    # Every algorithm, every state of a chain.
    "www.rsa.example A", "www.ed.example A", "www.nsec3.example A", "www.optout.example A", "www.child.optout.example A",
    "www.sub.clean.example A", "nx.sub.clean.example A", "www.expired.example A", "www.wrongds.example A",
    "www.nosig.example A", "nx.expired.example A", "www.expired.example A +cd", "www.nosig.example A +cd",
    # Servers with faults.
    "www.glueless.test A", "www.gl2.test A", "www.halfdead.test A", "www.dead.test A", "www.lame.test A",
    "www.alllame.test A",
    # Large answers.
    "two.big.example TXT", "six.big.example TXT", "many.big.example A", "six.big.example TXT +tcp",
    "six.big.example TXT +ignore",
    # Spelling.
    "WWW.clean.EXAMPLE A",
]
