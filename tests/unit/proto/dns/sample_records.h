// One record or more of each type whose form is known, in master file form.
#ifndef SEKISHO_TESTS_UNIT_PROTO_DNS_SAMPLE_RECORDS_H_
#define SEKISHO_TESTS_UNIT_PROTO_DNS_SAMPLE_RECORDS_H_

namespace sekisho::dns {

struct Sample {
  const char* line;
  bool exact;            // a byte less or more breaks the form
  bool generic = false;  // written as RFC 3597 data
};

inline constexpr Sample kSamples[] = {
    {"a. 1 IN A 192.0.2.1", true},
    {"a. 1 IN NS ns.a.", true},
    {"a. 1 IN CNAME b.a.", true},
    {"a. 1 IN SOA m.a. r.a. 1 2 3 4 5", true},
    {"a. 1 IN MB b.a.", true},
    {"a. 1 IN PTR b.a.", true},
    {"a. 1 IN HINFO \"cpu\" \"os\"", true},
    {"a. 1 IN MINFO b. c.", true},
    {"a. 1 IN MX 10 mail.a.", true},
    {"a. 1 IN TXT \"one\" \"two \\\"quoted\\\"\"", false},
    {"a. 1 IN RP b. c.", true},
    {"a. 1 IN AFSDB 1 b.", true},
    {"a. 1 IN X25 \\# 5 0431323334", true, true},
    {"a. 1 IN RT 10 b.", true},
    {"a. 1 IN PX 10 b. c.", true},
    {"a. 1 IN AAAA 2001:db8::1", true},
    {"a. 1 IN AAAA ::ffff:192.0.2.1", true},
    {"a. 1 IN LOC 52 22 23.000 N 4 53 32.000 E -2.00m 1m 10000m 10m", true},
    {"a. 1 IN SRV 1 2 3 b.", true},
    {"a. 1 IN NAPTR 100 10 \"u\" \"E2U+sip\" \"!^.*$!sip:x@y!\" .", true},
    {"a. 1 IN KX 10 b.", true},
    {"a. 1 IN CERT PKIX 0 0 AQID", false, true},
    {"a. 1 IN DNAME b.", true},
    {"a. 1 IN DS 55648 13 2 b4c8c1fe2e7477127b27115656ad6256f424625bf5c1e2770ce6d6e37df61d17", true},
    {"a. 1 IN SSHFP 2 1 123456789abcdef67890123456789abcdef67890", false},
    {"a. 1 IN RRSIG A 8 1 300 20300101000000 20200101000000 7 a. AQIDBAUGBwg=", false},
    {"a. 1 IN NSEC b. A MX RRSIG NSEC TYPE1234", false},
    {"a. 1 IN DNSKEY 257 3 13 AQIDBAUG", false},
    {"a. 1 IN DHCID AAIBY2/AuCccgoJbsaxcQc9TUapptP69lOjxfNuVAA2kjEA=", false},
    {"a. 1 IN NSEC3 1 1 12 aabbccdd 2t7b4g4vsa5smi47k61mv5bv1a22bojr MX DNSKEY NS", false},
    {"a. 1 IN NSEC3PARAM 1 0 12 aabbccdd", true},
    {"a. 1 IN TLSA 3 1 1 abcdef", false},
    {"a. 1 IN SMIMEA 3 1 1 abcdef", false},
    {"a. 1 IN CDS 0 0 0 00", false},
    {"a. 1 IN CDNSKEY 0 3 0 AA==", false},
    {"a. 1 IN OPENPGPKEY AQID", false},
    {"a. 1 IN CSYNC 66 3 A NS AAAA", false},
    {"a. 1 IN ZONEMD 1 1 1 "
     "c68090d90a7aed716bc459f9340e3d7c1370d4d24b7e2fc3a1ddc0b9a87153b9a9713b3c9ae5cc27777f98b8e730044c",
     false},
    {"a. 1 IN SVCB 1 b. alpn=h2,h3 port=8443 ipv4hint=192.0.2.1", true},
    {"a. 1 IN HTTPS 1 . alpn=h2,h3 ipv4hint=192.0.2.1 ipv6hint=2001:db8::1", true},
    {"a. 1 IN SPF \"v=spf1 -all\"", false},
    {"a. 1 IN EUI48 00-00-5e-00-53-2a", true},
    {"a. 1 IN EUI64 00-00-5e-ef-10-00-00-2a", true},
    {"a. 1 IN URI 10 1 \"ftp://x\"", false},
    {"a. 1 IN CAA 0 issue \"ca.example\"", false},
};

}  // namespace sekisho::dns

#endif  // SEKISHO_TESTS_UNIT_PROTO_DNS_SAMPLE_RECORDS_H_
