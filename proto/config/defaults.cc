#include <initializer_list>

#include "proto/config/config.h"
#include "proto/config/paths.h"

namespace sekisho::config {
namespace {

// What stands between the clients and the resolver.
void SetEdgeDefaults(Resolver* resolver) {
  Cookies* cookies = resolver->mutable_cookies();
  cookies->set_answer(true);
  cookies->set_require(false);
  cookies->set_upstream(true);

  Bounds* bounds = resolver->mutable_bounds();
  bounds->set_pending(20'000);
  bounds->set_pending_per_client(1000);
  bounds->set_fetches_per_zone(2000);
  bounds->set_fetches_per_server(2000);

  resolver->set_answer_rotation(true);
  RateLimit* rate = resolver->mutable_rate_limit();
  rate->set_per_second(0);
  rate->set_uncached_per_second(0);
  rate->set_ipv4_prefix(32);
  rate->set_ipv6_prefix(56);
  rate->set_slip(1);
}

}  // namespace

Config DefaultConfig() {
  Config config;
  config.set_data_dir(kDefaultDataDir);

  Agency* local = config.add_agencies();
  local->set_name("local");
  local->add_networks("127.0.0.0/8");
  local->add_networks("::1/128");

  Resolver* resolver = config.mutable_resolver();
  resolver->add_listen("127.0.0.1:53");
  resolver->set_upstream_port(53);
  resolver->set_ipv4(true);
  resolver->set_ipv6(true);
  resolver->set_cache_bytes(256 << 20);
  resolver->set_cache_wall_clock(false);
  resolver->set_edns_size(1232);
  resolver->set_max_ttl(86400);
  resolver->set_min_ttl(0);
  resolver->set_max_negative_ttl(900);
  resolver->set_qname_minimisation(true);
  resolver->set_qname_minimisation_type("A");
  resolver->set_mix_case(true);
  resolver->set_minimal_responses(true);
  resolver->set_ns_in_negative_answers(false);
  resolver->set_aggressive_nsec(true);
  resolver->set_root_priming(true);
  resolver->set_harden_glue(true);
  resolver->set_prefetch(true);
  resolver->set_rebinding_guard(true);
  resolver->set_special_use_zones(true);
  resolver->set_canary_domains(true);
  resolver->set_record_ring_bytes(8 << 20);

  SetEdgeDefaults(resolver);

  ServeStale* stale = resolver->mutable_serve_stale();
  stale->set_enabled(true);
  stale->set_client_timeout_ms(1800);
  stale->set_max_age_seconds(86400);
  stale->set_ttl(30);

  Tcp* tcp = resolver->mutable_tcp();
  tcp->set_max_connections(4096);
  tcp->set_max_per_address(32);
  tcp->set_idle_seconds(10);
  tcp->set_max_pipelined(25);

  Spool* spool = resolver->mutable_spool();
  spool->set_quota_bytes(uint64_t{4} << 30);
  spool->set_segment_bytes(64 << 20);

  Dnssec* dnssec = resolver->mutable_dnssec();
  dnssec->set_validate(true);
  dnssec->set_rfc5011(true);
  dnssec->set_accept_sha1_digests(false);
  dnssec->set_accept_rsasha1(false);
  dnssec->set_min_rsa_bits(1024);
  dnssec->set_nsec3_iterations(50);
  dnssec->set_signature_skew_min(3600);
  dnssec->set_signature_skew_max(86400);
  config.mutable_blocklist()->set_keep_snapshots(5);
  config.mutable_blocklist()->set_builtin_lists(true);
  config.mutable_log()->set_retention_days(90);
  config.mutable_log()->mutable_passive_dns()->set_retention_days(730);
  config.mutable_log()->mutable_api()->set_listen("127.0.0.1:8453");
  config.mutable_log()->mutable_api()->set_running(2);
  return config;
}

}  // namespace sekisho::config
