#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <utility>

#include "proto/base/ip_address.h"
#include "proto/config/config.h"
#include "proto/config/printable.h"
#include "proto/config/validate_policies.h"
#include "proto/dns/name.h"
#include "proto/dns/presentation.h"
#include "proto/dns/tsig.h"

namespace sekisho::config {
namespace {

using Problems = std::vector<Problem>;

bool IsIdentifier(const std::string& text) {
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

std::string At(const std::string& list, int index) { return list + "[" + std::to_string(index) + "]"; }

void Range(Problems& out, const std::string& path, uint64_t value, uint64_t least, uint64_t most) {
  if (value >= least && value <= most) return;
  out.push_back({path, "must be from " + std::to_string(least) + " to " + std::to_string(most) + ", is " +
                           std::to_string(value)});
}

// Relative paths would depend on where a daemon was started.
void AbsolutePath(Problems& out, const std::string& path, const std::string& text, bool required) {
  if (text.empty() ? required : text.front() != '/') {
    out.push_back(
        {path, text.empty() ? "is missing" : "'" + Printable(text) + "': must be an absolute path"});
  }
}

void CheckAgencies(Problems& out, const Config& config) {
  std::set<std::string> names;
  std::map<std::string, std::string> networks;
  if (config.agencies_size() == 0) out.push_back({"agencies", "is empty: nobody would be served"});
  if (config.agencies_size() > 65535) out.push_back({"agencies", "more than 65535"});
  for (int i = 0; i < config.agencies_size(); ++i) {
    const Agency& agency = config.agencies(i);
    const std::string path = At("agencies", i);
    Identifier(out, path + ".name", agency.name(), &names);
    if (const std::string& gsoc = agency.gsoc(); !gsoc.empty() && gsoc != "first" && gsoc != "second")
      out.push_back({path + ".gsoc", "'" + Printable(gsoc) + "' must be first or second"});
    if (agency.networks_size() == 0) out.push_back({path + ".networks", "is missing"});
    for (int k = 0; k < agency.networks_size(); ++k) {
      const std::string where = At(path + ".networks", k);
      const auto prefix = IpPrefix::Parse(agency.networks(k));
      if (!prefix) {
        out.push_back(
            {where, "'" + Printable(agency.networks(k)) +
                        "' is not a network such as 192.0.2.0/24 or 2001:db8::/32 (bits beyond the prefix "
                        "must be zero)"});
      } else if (auto [at, fresh] = networks.emplace(prefix->ToString(), agency.name()); !fresh) {
        out.push_back(
            {where, prefix->ToString() + " was given already, for agency '" + Printable(at->second) + "'"});
      }
    }
  }
}

void CheckListen(Problems& out, const Resolver& resolver) {
  if (resolver.listen_size() == 0) out.push_back({"resolver.listen", "is empty: nobody could ask"});
  if (resolver.listen_size() > 256) out.push_back({"resolver.listen", "more than 256 addresses"});
  std::set<Endpoint> taken;
  for (int i = 0; i < resolver.listen_size(); ++i) {
    const std::string path = At("resolver.listen", i);
    const auto endpoint = Endpoint::Parse(resolver.listen(i), 53);
    if (!endpoint || endpoint->port == 0) {
      out.push_back({path, "'" + Printable(resolver.listen(i)) +
                               "' is not an address such as 192.0.2.1, 127.0.0.1:5353 or [::1]:53"});
    } else if (!taken.insert(*endpoint).second) {
      out.push_back({path, endpoint->ToString() + " was given already"});
    }
  }
}

void CheckTcp(Problems& out, const Tcp& tcp) {
  Range(out, "resolver.tcp.max_connections", tcp.max_connections(), 1, 1'000'000);
  Range(out, "resolver.tcp.max_per_address", tcp.max_per_address(), 1, 1'000'000);
  Range(out, "resolver.tcp.idle_seconds", tcp.idle_seconds(), 1, 3600);
  Range(out, "resolver.tcp.max_pipelined", tcp.max_pipelined(), 1, 10'000);
}

void CheckCookies(Problems& out, const Cookies& cookies) {
  AbsolutePath(out, "resolver.cookies.secret_file", cookies.secret_file(), false);
  if (cookies.require() && !cookies.answer()) {
    out.push_back({"resolver.cookies.require", "needs resolver.cookies.answer: nobody could learn a cookie"});
  }
}

void CheckBounds(Problems& out, const Bounds& bounds) {
  Range(out, "resolver.bounds.pending", bounds.pending(), 100, 1'000'000);
  Range(out, "resolver.bounds.pending_per_client", bounds.pending_per_client(), 1, bounds.pending());
  Range(out, "resolver.bounds.fetches_per_zone", bounds.fetches_per_zone(), 0, 1'000'000);
  Range(out, "resolver.bounds.fetches_per_server", bounds.fetches_per_server(), 0, 1'000'000);
}

void CheckRateLimit(Problems& out, const RateLimit& rate) {
  Range(out, "resolver.rate_limit.per_second", rate.per_second(), 0, 1'000'000);
  Range(out, "resolver.rate_limit.uncached_per_second", rate.uncached_per_second(), 0, 1'000'000);
  Range(out, "resolver.rate_limit.ipv4_prefix", rate.ipv4_prefix(), 8, 32);
  Range(out, "resolver.rate_limit.ipv6_prefix", rate.ipv6_prefix(), 16, 128);
  Range(out, "resolver.rate_limit.slip", rate.slip(), 0, 100);
  for (int i = 0; i < rate.exempt_size(); ++i) {
    if (!IpPrefix::Parse(rate.exempt(i))) {
      out.push_back(
          {At("resolver.rate_limit.exempt", i), "'" + Printable(rate.exempt(i)) + "' is not a network"});
    }
  }
}

void CheckSpool(Problems& out, const Spool& spool) {
  Range(out, "resolver.spool.segment_bytes", spool.segment_bytes(), 64 << 10, uint64_t{4} << 30);
  if (spool.quota_bytes() < spool.segment_bytes()) {
    out.push_back({"resolver.spool.quota_bytes", "must be at least segment_bytes"});
  }
}

void CheckName(Problems& out, const std::string& path, const std::string& text) {
  if (!dns::Name::Parse(text)) out.push_back({path, "'" + Printable(text) + "' is not a name"});
}

void CheckServedZones(Problems& out, const std::string& list,
                      const google::protobuf::RepeatedPtrField<ServedZone>& zones) {
  for (int i = 0; i < zones.size(); ++i) {
    const std::string path = At(list, i);
    CheckName(out, path + ".name", zones[i].name());
    if (zones[i].servers_size() == 0) out.push_back({path + ".servers", "is missing"});
    for (int k = 0; k < zones[i].servers_size(); ++k) {
      const auto endpoint = Endpoint::Parse(zones[i].servers(k), 53);
      if (!endpoint || endpoint->port == 0) {
        out.push_back(
            {At(path + ".servers", k), "'" + Printable(zones[i].servers(k)) + "' is not an address"});
      }
    }
  }
}

void CheckRootServers(Problems& out, const Resolver& resolver) {
  if (!resolver.root_hints().empty() && resolver.root_servers_size() > 0) {
    out.push_back({"resolver.root_servers", "and root_hints exclude each other"});
  }
  for (int i = 0; i < resolver.root_servers_size(); ++i) {
    const RootServer& server = resolver.root_servers(i);
    const std::string path = At("resolver.root_servers", i);
    CheckName(out, path + ".name", server.name());
    if (server.addresses_size() == 0) out.push_back({path + ".addresses", "is missing"});
    for (int k = 0; k < server.addresses_size(); ++k) {
      if (IpAddress::Parse(server.addresses(k))) continue;
      out.push_back(
          {At(path + ".addresses", k), "'" + Printable(server.addresses(k)) + "' is not an address"});
    }
  }
}

void CheckLocal(Problems& out, const Resolver& resolver) {
  static const std::set<std::string> kKinds = {"static", "transparent", "refuse"};
  for (int i = 0; i < resolver.local_zones_size(); ++i) {
    const LocalZone& zone = resolver.local_zones(i);
    const std::string path = At("resolver.local_zones", i);
    CheckName(out, path + ".name", zone.name());
    if (!kKinds.contains(zone.kind())) {
      out.push_back(
          {path + ".kind", "'" + Printable(zone.kind()) + "': must be static, transparent or refuse"});
    }
  }
  for (int i = 0; i < resolver.local_data_size(); ++i) {
    std::string error;
    if (!dns::ParseRecord(resolver.local_data(i), &error)) {
      out.push_back({At("resolver.local_data", i), "'" + Printable(resolver.local_data(i)) + "': " + error});
    }
  }
  for (int i = 0; i < resolver.special_use_except_size(); ++i) {
    CheckName(out, At("resolver.special_use_except", i), resolver.special_use_except(i));
  }
  for (int i = 0; i < resolver.rebinding_exempt_size(); ++i) {
    CheckName(out, At("resolver.rebinding_exempt", i), resolver.rebinding_exempt(i));
  }
}

void CheckServeStale(Problems& out, const ServeStale& stale) {
  Range(out, "resolver.serve_stale.client_timeout_ms", stale.client_timeout_ms(), 0, 8000);
  Range(out, "resolver.serve_stale.max_age_seconds", stale.max_age_seconds(), 1, 7 * 86400);
  Range(out, "resolver.serve_stale.ttl", stale.ttl(), 1, 3600);
}

void CheckTsig(Problems& out, const std::string& path, const TsigKey& key) {
  CheckName(out, path + ".name", key.name());
  if (!key.algorithm().empty() && !dns::ParseTsigAlgorithm(key.algorithm())) {
    out.push_back({path + ".algorithm",
                   "'" + Printable(key.algorithm()) + "': must be hmac-sha256, hmac-sha384 or hmac-sha512"});
  }
  AbsolutePath(out, path + ".secret_file", key.secret_file(), true);
}

void CheckPolicyZone(Problems& out, const std::string& path, const PolicyZone& zone,
                     const std::set<std::string>& agencies) {
  static const std::set<std::string> kActions = {"",       "given", "disabled", "passthru", "nxdomain",
                                                 "nodata", "drop",  "tcp-only", "cname"};
  static const std::set<std::string> kErrors = {"", "blocked", "censored", "filtered", "prohibited", "none"};
  AbsolutePath(out, path + ".file", zone.file(), true);
  for (int k = 0; k < zone.agencies_size(); ++k) {
    if (agencies.contains(zone.agencies(k))) continue;
    out.push_back(
        {At(path + ".agencies", k), "'" + Printable(zone.agencies(k)) + "' is not the name of an agency"});
  }
  if (!kActions.contains(zone.action())) {
    out.push_back({path + ".action", "'" + Printable(zone.action()) +
                                         "': must be given, disabled, passthru, nxdomain, nodata, drop, "
                                         "tcp-only or cname"});
  }
  if (zone.action() == "cname") {
    CheckName(out, path + ".cname", zone.cname());
  } else if (!zone.cname().empty()) {
    out.push_back({path + ".cname", "needs action: cname"});
  }
  for (int k = 0; k < zone.primaries_size(); ++k) {
    const auto endpoint = Endpoint::Parse(zone.primaries(k), 53);
    if (!endpoint || endpoint->port == 0)
      out.push_back({At(path + ".primaries", k), "'" + Printable(zone.primaries(k)) + "' is not an address"});
  }
  if (zone.has_tsig()) CheckTsig(out, path + ".tsig", zone.tsig());
  if (!kErrors.contains(zone.ede())) {
    out.push_back({path + ".ede", "'" + Printable(zone.ede()) +
                                      "': must be blocked, censored, filtered, prohibited or none"});
  }
}

void CheckPolicyZones(Problems& out, const Config& config) {
  std::set<std::string> agencies;
  for (const Agency& agency : config.agencies()) agencies.insert(agency.name());
  const auto& zones = config.resolver().rpz();
  if (zones.size() > 64) out.push_back({"resolver.rpz", "more than 64 zones"});
  std::set<std::string> names;
  for (int i = 0; i < zones.size(); ++i) {
    const std::string path = At("resolver.rpz", i);
    const auto name = dns::Name::Parse(zones[i].name());
    if (!name || name->IsRoot()) {
      out.push_back({path + ".name", "'" + Printable(zones[i].name()) + "' is not a zone's name"});
    } else if (!names.insert(name->LowercaseBytes()).second) {
      out.push_back({path + ".name", "'" + Printable(zones[i].name()) + "' is another zone's name already"});
    }
    CheckPolicyZone(out, path, zones[i], agencies);
  }
}

void CheckResolver(Problems& out, const Resolver& resolver) {
  constexpr uint64_t kMaxTtl = std::numeric_limits<int32_t>::max();  // RFC 2181 section 8
  CheckListen(out, resolver);
  Range(out, "resolver.workers", resolver.workers(), 0, 256);
  AbsolutePath(out, "resolver.root_hints", resolver.root_hints(), false);
  Range(out, "resolver.upstream_port", resolver.upstream_port(), 1, 65535);
  if (!resolver.ipv4() && !resolver.ipv6()) {
    out.push_back({"resolver.ipv6", "ipv4 and ipv6 are both off: no server could be asked"});
  }
  Range(out, "resolver.cache_bytes", resolver.cache_bytes(), 1 << 20, uint64_t{1} << 44);
  Range(out, "resolver.edns_size", resolver.edns_size(), 512, 4096);
  Range(out, "resolver.max_ttl", resolver.max_ttl(), 1, kMaxTtl);
  Range(out, "resolver.max_negative_ttl", resolver.max_negative_ttl(), 1, kMaxTtl);
  if (resolver.min_ttl() > resolver.max_ttl()) out.push_back({"resolver.min_ttl", "must not exceed max_ttl"});
  if (resolver.has_upstream_edns_size()) {
    Range(out, "resolver.upstream_edns_size", resolver.upstream_edns_size(), 512, 4096);
  }
  if (resolver.qname_minimisation_type() != "A" && resolver.qname_minimisation_type() != "NS") {
    out.push_back({"resolver.qname_minimisation_type",
                   "'" + Printable(resolver.qname_minimisation_type()) + "': must be A or NS"});
  }
  CheckRootServers(out, resolver);
  CheckServedZones(out, "resolver.forward_zones", resolver.forward_zones());
  CheckServedZones(out, "resolver.stub_zones", resolver.stub_zones());
  CheckLocal(out, resolver);
  CheckServeStale(out, resolver.serve_stale());
  CheckTcp(out, resolver.tcp());
  CheckCookies(out, resolver.cookies());
  CheckBounds(out, resolver.bounds());
  CheckRateLimit(out, resolver.rate_limit());
  Range(out, "resolver.record_ring_bytes", resolver.record_ring_bytes(), 64 << 10, uint64_t{1} << 32);
  CheckSpool(out, resolver.spool());
  Range(out, "resolver.dnssec.min_rsa_bits", resolver.dnssec().min_rsa_bits(), 512, 4096);
  Range(out, "resolver.dnssec.nsec3_iterations", resolver.dnssec().nsec3_iterations(), 0, 500);
  if (resolver.dnssec().signature_skew_min() > resolver.dnssec().signature_skew_max()) {
    out.push_back({"resolver.dnssec.signature_skew_min", "must not exceed signature_skew_max"});
  }
  AbsolutePath(out, "resolver.dnssec.trust_anchor_file", resolver.dnssec().trust_anchor_file(), false);
}

void CheckFields(Problems& out, const std::string& path, const FeedFields& fields) {
  if (fields.separator().size() > 1 && fields.separator() != "tab") {
    out.push_back(
        {path + ".separator", "'" + Printable(fields.separator()) + "': must be one character or tab"});
  }
  const int32_t offset = fields.utc_offset_minutes();
  if (offset < -14 * 60 || offset > 14 * 60) {
    out.push_back({path + ".utc_offset_minutes", std::to_string(offset) + ": must be from -840 to 840"});
  }
}

void CheckFeed(Problems& out, const std::string& path, const Feed& feed, std::set<std::string>* names) {
  static const std::set<std::string> kFormats = {
      "",      "auto",    "domains",   "wildcards", "hosts",    "adblock",     "dnsmasq",       "unbound",
      "rpz",   "ip-list", "maltrail",  "csv",       "urls-csv", "urlhaus-csv", "threatfox-csv", "json",
      "jsonl", "taxii",   "misp-feed", "misp",      "stix"};
  Identifier(out, path + ".name", feed.name(), names);
  const std::string& url = feed.url();
  const bool known = url.starts_with("/") || url.starts_with("file:///") || url.starts_with("http://") ||
                     url.starts_with("https://");
  if (!known) {
    out.push_back(
        {path + ".url", "'" + Printable(url) + "': must be a path, file:///, http:// or https:// URL"});
  }
  if (!kFormats.contains(feed.format())) {
    out.push_back({path + ".format",
                   "'" + Printable(feed.format()) +
                       "': must be domains, wildcards, hosts, adblock, dnsmasq, unbound, "
                       "rpz, ip-list, maltrail, csv, urls-csv, "
                       "urlhaus-csv, threatfox-csv, json, jsonl, misp, stix, taxii, misp-feed or auto"});
  }
  if (feed.has_interval_seconds()) {
    Range(out, path + ".interval_seconds", feed.interval_seconds(), 1, 365 * 86400);
  }
  if (feed.has_max_shrink_percent()) {
    Range(out, path + ".max_shrink_percent", feed.max_shrink_percent(), 0, 100);
  }
  AbsolutePath(out, path + ".credentials_file", feed.credentials_file(), false);
  const std::string& proxy = feed.proxy();
  if (!proxy.empty() && !proxy.starts_with("http://") && !proxy.starts_with("socks5h://")) {
    out.push_back({path + ".proxy", "'" + Printable(proxy) + "': must begin with http:// or socks5h://"});
  }
  Range(out, path + ".min_confidence", feed.min_confidence(), 0, 100);
  Range(out, path + ".max_age_days", feed.max_age_days(), 0, 36500);
  if (feed.has_fields()) CheckFields(out, path + ".fields", feed.fields());
  if (feed.has_max_bytes()) Range(out, path + ".max_bytes", feed.max_bytes(), 1, uint64_t{16} << 30);
}

void CheckBlocklist(Problems& out, const Blocklist& blocklist) {
  std::set<std::string> names;
  for (int i = 0; i < blocklist.feeds_size(); ++i) {
    CheckFeed(out, At("blocklist.feeds", i), blocklist.feeds(i), &names);
  }
  Range(out, "blocklist.keep_snapshots", blocklist.keep_snapshots(), 1, 1000);
  for (int i = 0; i < blocklist.protected_names_size(); ++i) {
    AbsolutePath(out, At("blocklist.protected_names", i), blocklist.protected_names(i), true);
  }
  for (int i = 0; i < blocklist.shared_hosts_size(); ++i) {
    AbsolutePath(out, At("blocklist.shared_hosts", i), blocklist.shared_hosts(i), true);
  }
  for (int i = 0; i < blocklist.tenant_suffixes_size(); ++i) {
    AbsolutePath(out, At("blocklist.tenant_suffixes", i), blocklist.tenant_suffixes(i), true);
  }
  for (int i = 0; i < blocklist.protected_addresses_size(); ++i) {
    AbsolutePath(out, At("blocklist.protected_addresses", i), blocklist.protected_addresses(i), true);
  }
  for (int i = 0; i < blocklist.shared_addresses_size(); ++i) {
    AbsolutePath(out, At("blocklist.shared_addresses", i), blocklist.shared_addresses(i), true);
  }
  AbsolutePath(out, "blocklist.public_suffix_list", blocklist.public_suffix_list(), false);
}

// TLS is what makes an address other than loopback allowed.
void CheckApi(Problems& out, const Api& api) {
  Range(out, "log.api.running", api.running(), 1, 64);
  AbsolutePath(out, "log.api.tls_certificate", api.tls_certificate(), false);
  AbsolutePath(out, "log.api.tls_key", api.tls_key(), false);
  if (api.tls_certificate().empty() != api.tls_key().empty())
    out.push_back({"log.api", "tls_certificate and tls_key go together"});
  if (api.listen() == "off") return;
  const auto at = Endpoint::Parse(api.listen(), std::nullopt);
  if (!at) {
    out.push_back({"log.api.listen", "'" + Printable(api.listen()) +
                                         "' is not an address with port, such as 127.0.0.1:8453, nor off"});
    return;
  }
  const bool loopback =
      at->address.is_v4() ? at->address.bytes()[0] == 127 : at->address == *IpAddress::Parse("::1");
  if (!loopback && api.tls_certificate().empty())
    out.push_back(
        {"log.api.listen",
         at->ToString() + " is not a loopback address: tls_certificate and tls_key are needed there"});
}

// Where an export goes: what stands before the first colon, and what behind it.
void CheckExportTarget(Problems& out, const std::string& path, const Export& e) {
  const size_t colon = std::min(e.to().find(':'), e.to().size());
  const std::string kind = e.to().substr(0, colon);
  const std::string rest = e.to().substr(std::min(colon + 1, e.to().size()));
  if (kind == "file" || kind == "unix") {
    AbsolutePath(out, path + ".to", rest, true);
    constexpr size_t kLongest = 107;
    if (kind == "unix" && rest.size() > kLongest)
      out.push_back({path + ".to", "a socket's path has at most 107 bytes"});
    return;
  }
  const bool syslog = kind == "syslog" || kind == "syslog-tls";
  if (kind != "tcp" && !syslog) {
    out.push_back({path + ".to", "'" + Printable(e.to()) +
                                     "': must begin with file:, unix:, tcp:, syslog: or syslog-tls:"});
    return;
  }
  if (!Endpoint::Parse(rest, std::nullopt))
    out.push_back({path + ".to", "'" + Printable(rest) + "' is not an address with port"});
  if (syslog && e.format() == "dnstap") out.push_back({path + ".to", "dnstap does not go over syslog"});
  if (kind == "syslog-tls") AbsolutePath(out, path + ".tls_ca", e.tls_ca(), true);
}

void CheckExports(Problems& out, const Log& log) {
  constexpr int kMost = 8;
  std::set<std::string> names;
  if (log.exports_size() > kMost) out.push_back({"log.exports", "at most eight"});
  for (int i = 0; i < log.exports_size(); ++i) {
    const Export& e = log.exports(i);
    const std::string path = At("log.exports", i);
    Identifier(out, path + ".name", e.name(), &names);
    if (e.format() != "dnstap" && e.format() != "ocsf")
      out.push_back({path + ".format", "'" + Printable(e.format()) + "': must be dnstap or ocsf"});
    CheckExportTarget(out, path, e);
    if (e.has_buffer_bytes())
      Range(out, path + ".buffer_bytes", e.buffer_bytes(), 1 << 20, uint64_t{1} << 40);
    if (e.has_rotate_bytes())
      Range(out, path + ".rotate_bytes", e.rotate_bytes(), 1 << 16, uint64_t{1} << 40);
    if (e.has_keep_files()) Range(out, path + ".keep_files", e.keep_files(), 0, 10'000);
  }
}

}  // namespace

// Names that go into records and file names.
void Identifier(std::vector<Problem>& out, const std::string& path, const std::string& text,
                std::set<std::string>* taken) {
  if (text.empty()) {
    out.push_back({path, "is missing"});
  } else if (!IsIdentifier(text)) {
    out.push_back({path, "'" + Printable(text) + "': 1 to 64 letters, digits, '-' and '_' are allowed"});
  } else if (!taken->insert(text).second) {
    out.push_back({path, "'" + text + "' is the name of another one already"});
  }
}

std::vector<Problem> Validate(const Config& config) {
  Problems out;
  AbsolutePath(out, "data_dir", config.data_dir(), true);
  AbsolutePath(out, "run_dir", config.run_dir(), false);
  CheckAgencies(out, config);
  CheckResolver(out, config.resolver());
  CheckPolicyZones(out, config);
  CheckBlocklist(out, config.blocklist());
  CheckPolicies(out, config);
  Range(out, "log.retention_days", config.log().retention_days(), 1, 36'500);
  Range(out, "log.passive_dns.retention_days", config.log().passive_dns().retention_days(), 1, 36'500);
  CheckApi(out, config.log().api());
  if (config.log().pseudonymise_after() > 0)
    Range(out, "log.pseudonymise_after", config.log().pseudonymise_after(), 2, 36'500);
  Range(out, "log.pseudonym_keys_days", config.log().pseudonym_keys_days(), 0, 36'500);
  CheckExports(out, config.log());
  return out;
}

}  // namespace sekisho::config
