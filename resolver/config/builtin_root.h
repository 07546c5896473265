// The root as it was when this program was built: its servers and its trust anchors, for machines without
// dns-root-data.
//
// Threads: constants. Standards: IANA root hints of 2024-04-18, IANA root anchors KSK-2017 (20326) and
// KSK-2024 (38696).
#ifndef SEKISHO_RESOLVER_CONFIG_BUILTIN_ROOT_H_
#define SEKISHO_RESOLVER_CONFIG_BUILTIN_ROOT_H_

namespace sekisho::resolver {

inline constexpr char kBuiltinRootHints[] = R"(
. 3600000 IN NS a.root-servers.net.
a.root-servers.net. 3600000 IN A 198.41.0.4
a.root-servers.net. 3600000 IN AAAA 2001:503:ba3e::2:30
. 3600000 IN NS b.root-servers.net.
b.root-servers.net. 3600000 IN A 170.247.170.2
b.root-servers.net. 3600000 IN AAAA 2801:1b8:10::b
. 3600000 IN NS c.root-servers.net.
c.root-servers.net. 3600000 IN A 192.33.4.12
c.root-servers.net. 3600000 IN AAAA 2001:500:2::c
. 3600000 IN NS d.root-servers.net.
d.root-servers.net. 3600000 IN A 199.7.91.13
d.root-servers.net. 3600000 IN AAAA 2001:500:2d::d
. 3600000 IN NS e.root-servers.net.
e.root-servers.net. 3600000 IN A 192.203.230.10
e.root-servers.net. 3600000 IN AAAA 2001:500:a8::e
. 3600000 IN NS f.root-servers.net.
f.root-servers.net. 3600000 IN A 192.5.5.241
f.root-servers.net. 3600000 IN AAAA 2001:500:2f::f
. 3600000 IN NS g.root-servers.net.
g.root-servers.net. 3600000 IN A 192.112.36.4
g.root-servers.net. 3600000 IN AAAA 2001:500:12::d0d
. 3600000 IN NS h.root-servers.net.
h.root-servers.net. 3600000 IN A 198.97.190.53
h.root-servers.net. 3600000 IN AAAA 2001:500:1::53
. 3600000 IN NS i.root-servers.net.
i.root-servers.net. 3600000 IN A 192.36.148.17
i.root-servers.net. 3600000 IN AAAA 2001:7fe::53
. 3600000 IN NS j.root-servers.net.
j.root-servers.net. 3600000 IN A 192.58.128.30
j.root-servers.net. 3600000 IN AAAA 2001:503:c27::2:30
. 3600000 IN NS k.root-servers.net.
k.root-servers.net. 3600000 IN A 193.0.14.129
k.root-servers.net. 3600000 IN AAAA 2001:7fd::1
. 3600000 IN NS l.root-servers.net.
l.root-servers.net. 3600000 IN A 199.7.83.42
l.root-servers.net. 3600000 IN AAAA 2001:500:9f::42
. 3600000 IN NS m.root-servers.net.
m.root-servers.net. 3600000 IN A 202.12.27.33
m.root-servers.net. 3600000 IN AAAA 2001:dc3::35
)";

inline constexpr char kBuiltinRootAnchors[] = R"(
. IN DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D
. IN DS 38696 8 2 683D2D0ACB8C9B712A1948B27F741219298D0A450D612C483AF444A4C0FB2B16
)";

}  // namespace sekisho::resolver

#endif  // SEKISHO_RESOLVER_CONFIG_BUILTIN_ROOT_H_
