#include "resolver/config/live_config.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "proto/base/bytes.h"
#include "proto/base/time_text.h"
#include "proto/config/printable.h"
#include "proto/dns/rdata_form.h"
#include "resolver/config/builtin_root.h"
#include "resolver/config/cookie_secrets.h"
#include "resolver/config/policy_config.h"
#include "resolver/config/record_file.h"
#include "resolver/core/policy/policy_groups.h"

namespace sekisho::resolver {
namespace {

using dns::RRType;
using dns::TextRecord;

struct Found {
  std::vector<TextRecord> records;
  std::string origin;
};

// The records of the first file that is there; else the built-in text.
absl::StatusOr<Found> FirstOf(const std::vector<std::string>& paths, const char* builtin,
                              RecordUse use = RecordUse::kAny) {
  for (const std::string& path : paths) {
    auto records = ReadRecordFile(path, use);
    if (records.ok()) return Found{*std::move(records), path};
    if (!absl::IsNotFound(records.status())) return records.status();
  }
  auto records = ParseRecords(builtin, "built in");
  if (!records.ok()) return records.status();
  return Found{*std::move(records), "built in"};
}

absl::StatusOr<Found> RootRecords(const config::Resolver& resolver, const SystemFiles& files) {
  if (resolver.root_hints().empty()) return FirstOf({files.root_hints}, kBuiltinRootHints);
  auto records = ReadRecordFile(resolver.root_hints());
  if (!records.ok())
    return absl::InvalidArgumentError("resolver.root_hints: " + std::string(records.status().message()));
  return Found{*std::move(records), resolver.root_hints()};
}

// Addresses of the names that the root's NS records give.
absl::StatusOr<std::vector<RootHint>> RootHints(const Found& found) {
  std::map<std::string, dns::Name> servers;
  for (const TextRecord& r : found.records) {
    if (r.type != RRType::kNS || !r.owner.IsRoot()) continue;
    auto name = dns::Name::FromWire({reinterpret_cast<const uint8_t*>(r.rdata.data()), r.rdata.size()});
    if (name) servers.emplace(name->LowercaseBytes(), *name);
  }
  std::vector<RootHint> hints;
  for (const TextRecord& r : found.records) {
    if (r.type != RRType::kA && r.type != RRType::kAAAA) continue;
    const auto server = servers.find(r.owner.LowercaseBytes());
    const auto address =
        IpAddress::FromRdata({reinterpret_cast<const uint8_t*>(r.rdata.data()), r.rdata.size()});
    if (server != servers.end() && address) hints.push_back({server->second, *address});
  }
  if (hints.empty()) {
    return absl::InvalidArgumentError(found.origin +
                                      ": holds no address (A, AAAA) of a server that it names for the "
                                      "root (NS)");
  }
  return hints;
}

absl::Status SetRootHints(const config::Resolver& resolver, const SystemFiles& files, Settings* settings,
                          std::string* origin) {
  for (const config::RootServer& server : resolver.root_servers()) {
    for (const std::string& address : server.addresses()) {
      settings->root_hints.push_back({*dns::Name::Parse(server.name()), *IpAddress::Parse(address)});
    }
  }
  *origin = "configuration";
  if (!settings->root_hints.empty()) return absl::OkStatus();
  auto root = RootRecords(resolver, files);
  if (!root.ok()) return root.status();
  auto hints = RootHints(*root);
  if (!hints.ok()) return hints.status();
  settings->root_hints = *std::move(hints);
  *origin = root->origin;
  return absl::OkStatus();
}

absl::StatusOr<Found> AnchorRecords(const config::Dnssec& dnssec, const SystemFiles& files) {
  if (dnssec.trust_anchors_size() > 0) {
    Found found{{}, "configuration"};
    for (int i = 0; i < dnssec.trust_anchors_size(); ++i) {
      auto records =
          ParseRecords(dnssec.trust_anchors(i), "resolver.dnssec.trust_anchors[" + std::to_string(i) + "]",
                       RecordUse::kAnchors);
      if (!records.ok()) return records.status();
      found.records.insert(found.records.end(), records->begin(), records->end());
    }
    return found;
  }
  if (dnssec.trust_anchor_file().empty())
    return FirstOf({files.root_ds, files.root_key}, kBuiltinRootAnchors, RecordUse::kAnchors);
  auto records = ReadRecordFile(dnssec.trust_anchor_file(), RecordUse::kAnchors);
  if (!records.ok()) {
    return absl::InvalidArgumentError("resolver.dnssec.trust_anchor_file: " +
                                      std::string(records.status().message()));
  }
  return Found{*std::move(records), dnssec.trust_anchor_file()};
}

std::optional<NegativeTrustAnchor> ParseNegativeAnchor(std::string_view text) {
  constexpr std::string_view kUntil = " until ";
  NegativeTrustAnchor anchor;
  const size_t at = text.find(kUntil);
  if (at != std::string_view::npos) {
    const auto time = ParseTime(text.substr(at + kUntil.size()), WallTime{}, TimeZone{});
    if (!time) return std::nullopt;
    anchor.until = WallFromMicros(*time);
    text = text.substr(0, at);
  }
  auto name = dns::Name::Parse(text);
  if (!name) return std::nullopt;
  anchor.name = *std::move(name);
  return anchor;
}

// An anchor that can match no key is told of. Beside others of its zone it is left out; alone it stays, so
// that the zone fails closed and does not lose its protection to a slip of the pen.
void KeepAnchors(const Found& found, Settings* settings, LiveConfig* live) {
  live->trust_anchors_origin = found.origin;
  const auto is_good = [](const TextRecord& r) { return dns::CheckRdata(r.type, AsBytes(r.rdata)); };
  for (const TextRecord& r : found.records) {
    if (!is_good(r)) {
      const bool others = std::any_of(found.records.begin(), found.records.end(),
                                      [&](const TextRecord& o) { return o.owner == r.owner && is_good(o); });
      live->anchor_warnings.push_back(found.origin + ": the digest of an anchor of " + r.owner.ToString() +
                                      " has not the length of its type: " +
                                      (others ? "it is left out" : "nothing below it can be validated"));
      if (others) continue;
    }
    settings->trust_anchors.push_back(r);
  }
}

absl::Status SetAnchors(const config::Dnssec& dnssec, const SystemFiles& files, Settings* settings,
                        LiveConfig* live) {
  settings->validate = dnssec.validate();
  settings->rfc5011 = dnssec.rfc5011();
  settings->accept_sha1_digests = dnssec.accept_sha1_digests();
  settings->accept_rsasha1 = dnssec.accept_rsasha1();
  settings->min_rsa_bits = static_cast<int>(dnssec.min_rsa_bits());
  settings->nsec3_iterations = static_cast<int>(dnssec.nsec3_iterations());
  settings->signature_skew_min = dnssec.signature_skew_min();
  settings->signature_skew_max = dnssec.signature_skew_max();
  for (int i = 0; i < dnssec.negative_trust_anchors_size(); ++i) {
    auto anchor = ParseNegativeAnchor(dnssec.negative_trust_anchors(i));
    if (!anchor) {
      return absl::InvalidArgumentError(
          "resolver.dnssec.negative_trust_anchors[" + std::to_string(i) + "]: '" +
          config::Printable(dnssec.negative_trust_anchors(i)) +
          "' is not a domain name, with \"until 2026-12-01T00:00:00Z\" behind it or not");
    }
    settings->negative_trust_anchors.push_back(*std::move(anchor));
  }
  auto found = AnchorRecords(dnssec, files);
  if (!found.ok()) return found.status();
  for (const TextRecord& r : found->records) {
    if (r.type != RRType::kDS && r.type != RRType::kDNSKEY) {
      return absl::InvalidArgumentError(found->origin + ": a trust anchor is a DS or DNSKEY record, not " +
                                        dns::ToString(r.type));
    }
  }
  KeepAnchors(*found, settings, live);
  if (settings->validate && settings->trust_anchors.empty()) {
    return absl::InvalidArgumentError(live->trust_anchors_origin + ": holds no trust anchor");
  }
  return absl::OkStatus();
}

absl::Status SetAgencies(const config::Config& config, AgencyTable* table) {
  for (const config::Agency& agency : config.agencies()) {
    const AgencyTable::Id id = table->Add(agency.name());
    for (const std::string& text : agency.networks()) {
      const auto prefix = IpPrefix::Parse(text);
      if (!prefix || !table->AddNetwork(id, *prefix)) {
        return absl::InvalidArgumentError("agencies: '" + config::Printable(text) + "' cannot belong to '" +
                                          config::Printable(agency.name()) + "'");
      }
    }
  }
  return absl::OkStatus();
}

// Names and records below were checked by Validate; what is not one is left out.
void SetLocalZones(const config::Resolver& resolver, LocalZones* zones) {
  if (resolver.special_use_zones()) zones->AddSpecialUse();
  if (resolver.canary_domains()) zones->AddCanaries();
  for (const std::string& text : resolver.special_use_except()) {
    if (const auto name = dns::Name::Parse(text)) zones->RemoveZone(*name);
  }
  for (const config::LocalZone& zone : resolver.local_zones()) {
    const auto name = dns::Name::Parse(zone.name());
    if (!name) continue;
    zones->RemoveZone(*name);
    zones->AddZone(*name, zone.kind() == "static"        ? LocalZoneKind::kStatic
                          : zone.kind() == "transparent" ? LocalZoneKind::kTransparent
                                                         : LocalZoneKind::kRefuse);
  }
  for (const std::string& text : resolver.local_data()) {
    std::string error;
    if (const auto record = dns::ParseRecord(text, &error)) zones->AddRecord(*record);
  }
}

void SetServedZones(const google::protobuf::RepeatedPtrField<config::ServedZone>& zones, bool forward,
                    Settings* settings) {
  for (const config::ServedZone& zone : zones) {
    const auto name = dns::Name::Parse(zone.name());
    if (!name) continue;
    ConfiguredZone made{.zone = *name, .forward = forward, .servers = {}, .fallback = zone.fallback()};
    for (const std::string& text : zone.servers()) {
      if (const auto server = Endpoint::Parse(text, 53)) made.servers.push_back(*server);
    }
    // Its names are asked for, special-use or not.
    settings->local.RemoveZone(*name);
    settings->zones.push_back(std::move(made));
  }
}

void SetIteration(const config::Resolver& resolver, Settings* settings) {
  settings->upstream_port = static_cast<uint16_t>(resolver.upstream_port());
  settings->ipv4 = resolver.ipv4();
  settings->ipv6 = resolver.ipv6();
  settings->query_private_addresses = resolver.query_private_addresses();
  settings->qname_minimisation = resolver.qname_minimisation();
  settings->minimise_type = resolver.qname_minimisation_type() == "NS" ? RRType::kNS : RRType::kA;
  settings->mix_case = resolver.mix_case();
  settings->minimal_responses = resolver.minimal_responses();
  settings->ns_in_negative_answers = resolver.ns_in_negative_answers();
  settings->aggressive_nsec = resolver.aggressive_nsec();
  settings->root_priming = resolver.root_priming();
  settings->harden_glue = resolver.harden_glue();
  settings->prefetch = resolver.prefetch();
  settings->rebinding_guard = resolver.rebinding_guard();
  for (const std::string& text : resolver.rebinding_exempt()) {
    if (const auto name = dns::Name::Parse(text)) settings->rebinding_exempt.push_back(*name);
  }
  const config::ServeStale& stale = resolver.serve_stale();
  settings->stale = {.enabled = stale.enabled(),
                     .client_timeout = std::chrono::milliseconds(stale.client_timeout_ms()),
                     .max_age = std::chrono::seconds(stale.max_age_seconds()),
                     .ttl = stale.ttl()};
  settings->answer_rotation = resolver.answer_rotation();
  const config::RateLimit& rate = resolver.rate_limit();
  settings->rate_limit = {.per_second = rate.per_second(),
                          .uncached_per_second = rate.uncached_per_second(),
                          .ipv4_prefix = static_cast<int>(rate.ipv4_prefix()),
                          .ipv6_prefix = static_cast<int>(rate.ipv6_prefix()),
                          .slip = rate.slip(),
                          .exempt = {}};
  for (const std::string& text : rate.exempt()) {
    if (const auto prefix = IpPrefix::Parse(text)) settings->rate_limit.exempt.push_back(*prefix);
  }
  const config::Bounds& bounds = resolver.bounds();
  settings->bounds = {.pending = bounds.pending(),
                      .pending_per_client = bounds.pending_per_client(),
                      .fetches_per_zone = bounds.fetches_per_zone(),
                      .fetches_per_server = bounds.fetches_per_server()};
  settings->edns_size = static_cast<uint16_t>(resolver.edns_size());
  settings->upstream_edns_size = resolver.has_upstream_edns_size()
                                     ? static_cast<uint16_t>(resolver.upstream_edns_size())
                                     : settings->edns_size;
  settings->max_ttl = resolver.max_ttl();
  settings->min_ttl = resolver.min_ttl();
  settings->max_negative_ttl = resolver.max_negative_ttl();
}

rpz::Override OverrideOf(const std::string& text) {
  static const std::map<std::string, rpz::Override> kActions = {
      {"disabled", rpz::Override::kDisabled}, {"passthru", rpz::Override::kPassthru},
      {"nxdomain", rpz::Override::kNxdomain}, {"nodata", rpz::Override::kNodata},
      {"drop", rpz::Override::kDrop},         {"tcp-only", rpz::Override::kTcpOnly},
      {"cname", rpz::Override::kCname}};
  const auto found = kActions.find(text);
  return found == kActions.end() ? rpz::Override::kGiven : found->second;
}

std::optional<dns::EdeCode> ErrorOf(const std::string& text) {
  static const std::map<std::string, dns::EdeCode> kErrors = {{"censored", dns::EdeCode::kCensored},
                                                              {"filtered", dns::EdeCode::kFiltered},
                                                              {"prohibited", dns::EdeCode::kProhibited}};
  if (text == "none") return std::nullopt;
  const auto found = kErrors.find(text);
  return found == kErrors.end() ? dns::EdeCode::kBlocked : found->second;
}

absl::StatusOr<dns::TsigKey> ReadTsigKey(const std::string& setting, const config::TsigKey& key) {
  auto text = ReadTextFile(key.secret_file());
  if (!text.ok()) return absl::InvalidArgumentError(setting + ": " + std::string(text.status().message()));
  auto secret = dns::ParseBase64(*text);
  const auto name = dns::Name::Parse(key.name());
  if (!secret || !name)
    return absl::InvalidArgumentError(setting + ": " + key.secret_file() + ": is not base64");
  return dns::TsigKey{*name, dns::ParseTsigAlgorithm(key.algorithm()).value_or(dns::TsigAlgorithm::kSha256),
                      *std::move(secret)};
}

absl::Status SetPolicyZones(const config::Config& config, Settings* settings,
                            std::vector<PolicyZoneFile>* files) {
  std::vector<std::vector<AgencyTable::Id>> agencies_of_zone;
  for (const config::PolicyZone& zone : config.resolver().rpz()) {
    const auto origin = dns::Name::Parse(zone.name());
    if (!origin) continue;
    auto made = std::make_shared<rpz::ZoneConfig>();
    made->name = zone.name();
    made->origin = *origin;
    made->action = OverrideOf(zone.action());
    if (const auto cname = dns::Name::Parse(zone.cname())) made->cname = *cname;
    made->log_only = zone.log_only();
    made->signal_nxdomain_ra = zone.signal_nxdomain_ra();
    if (zone.has_max_ttl()) made->max_ttl = zone.max_ttl();
    made->error = ErrorOf(zone.ede());
    PolicyZoneFile file{.name = zone.name(), .origin = *origin, .path = zone.file()};
    for (const std::string& text : zone.primaries()) {
      const auto primary = Endpoint::Parse(text, 53);
      if (!primary) continue;
      file.primaries.push_back(*primary);
      made->primaries.push_back(primary->address);
    }
    if (zone.has_tsig()) {
      auto key =
          ReadTsigKey("resolver.rpz[" + std::to_string(files->size()) + "].tsig.secret_file", zone.tsig());
      if (!key.ok()) return key.status();
      file.key = *std::move(key);
    }
    files->push_back(std::move(file));
    settings->policy_zones.push_back(std::move(made));
    auto& agencies = agencies_of_zone.emplace_back();
    for (int i = 0; i < config.agencies_size(); ++i) {
      const auto& wanted = zone.agencies();
      if (std::find(wanted.begin(), wanted.end(), config.agencies(i).name()) != wanted.end())
        agencies.push_back(static_cast<AgencyTable::Id>(i));
    }
  }
  MakePolicyGroups(agencies_of_zone, settings);
  return absl::OkStatus();
}

absl::Status SetCookies(const config::Cookies& cookies, Cookies* out) {
  out->answer = cookies.answer();
  out->require = cookies.require();
  out->upstream = cookies.upstream();
  if (cookies.secret_file().empty()) return absl::OkStatus();
  auto secrets = ReadCookieSecrets(cookies.secret_file());
  if (!secrets.ok()) {
    return absl::InvalidArgumentError("resolver.cookies.secret_file: " +
                                      std::string(secrets.status().message()));
  }
  out->secrets = *std::move(secrets);
  return absl::OkStatus();
}

TcpLimits MakeTcpLimits(const config::Tcp& tcp) {
  TcpLimits limits;
  limits.max_connections = tcp.max_connections();
  limits.max_per_address = tcp.max_per_address();
  limits.max_pipelined = tcp.max_pipelined();
  limits.idle = std::chrono::seconds(tcp.idle_seconds());
  limits.message_time = std::min(limits.message_time, limits.idle);
  limits.write_time = std::min(limits.write_time, limits.idle);
  return limits;
}

}  // namespace

absl::StatusOr<LiveConfig> MakeLiveConfig(const config::Config& config, const SystemFiles& files) {
  const config::Resolver& resolver = config.resolver();
  LiveConfig live;
  Settings settings;
  if (auto status = SetAgencies(config, &settings.agencies); !status.ok()) return status;

  if (auto status = SetPolicies(config, &settings); !status.ok()) return status;
  if (auto status = SetRootHints(resolver, files, &settings, &live.root_hints_origin); !status.ok()) {
    return status;
  }

  if (auto status = SetCookies(resolver.cookies(), &settings.cookies); !status.ok()) return status;
  SetIteration(resolver, &settings);
  SetLocalZones(resolver, &settings.local);
  SetServedZones(resolver.forward_zones(), true, &settings);
  SetServedZones(resolver.stub_zones(), false, &settings);
  if (auto status = SetAnchors(resolver.dnssec(), files, &settings, &live); !status.ok()) {
    return status;
  }
  if (auto status = SetPolicyZones(config, &settings, &live.policy_zones); !status.ok()) return status;
  live.tcp = MakeTcpLimits(resolver.tcp());
  live.settings = std::make_shared<const Settings>(std::move(settings));
  return live;
}

}  // namespace sekisho::resolver
