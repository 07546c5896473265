// ZoneBuilder: makes a Zone of records, in whatever order they come.
//
//   ZoneBuilder builder(origin);
//   builder.Add(record); …
//   std::shared_ptr<const Zone> zone = builder.Finish();
//
//   ReadZone(text, origin, &problem)     the same from a zone file
//
// A record that means nothing here is left out and counted, with the first reason: an owner outside of the
// zone, a prefix that is none, a CNAME to an action that is not known. SOA, NS, DNAME and the records of
// DNSSEC make no rules. Of several CNAMEs of one owner the first counts, and before any other type.
//
// Threads: one. Limits: kMaxRules records; while building about 100 bytes a record.
// Standards: RFC 1035 section 5, draft-vixie-dnsop-dns-rpz-00.
#ifndef SEKISHO_RESOLVER_CORE_RPZ_ZONE_BUILDER_H_
#define SEKISHO_RESOLVER_CORE_RPZ_ZONE_BUILDER_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proto/dns/presentation.h"
#include "resolver/core/rpz/zone.h"

namespace sekisho::resolver::rpz {

class ZoneBuilder {
 public:
  explicit ZoneBuilder(dns::Name origin) : origin_(std::move(origin)) {}

  // False: it makes no rule; when left_out() has grown, last_reason() says why.
  bool Add(const dns::TextRecord& record);
  bool full() const { return entries_.size() >= kMaxRules; }
  size_t left_out() const { return left_out_; }
  const std::string& last_reason() const { return last_reason_; }

  std::shared_ptr<const Zone> Finish();

 private:
  // One record that says something of a trigger.
  struct Entry {
    TriggerKind kind = TriggerKind::kQname;
    Told told = Told::kData;
    dns::RRType type = dns::RRType::kNone;
    uint32_t ttl = 0;
    uint32_t rdata = 0;  // kData: index into rdata_
    std::string key;     // NameKey, or the mapped address and length of a prefix
  };

  bool LeaveOut(std::string reason);
  std::optional<Told> ToldBy(const dns::TextRecord& record, const TriggerName& trigger);
  // The value of the rule that these entries, all of one trigger, make.
  uint32_t MakeRule(const Entry* begin, const Entry* end, Zone* zone) const;

  dns::Name origin_;
  dns::RRsetPtr soa_;
  std::vector<Entry> entries_;
  std::vector<std::string> rdata_;
  size_t left_out_ = 0;
  std::string last_reason_;
};

struct ReadResult {
  std::shared_ptr<const Zone> zone;  // null: the text is no zone, and `line` and `error` say why
  size_t line = 0;
  std::string error;
  // Records that made no rule though they look like some, and what was wrong with the first.
  size_t left_out = 0;
  size_t left_out_line = 0;
  std::string left_out_reason;
};

ReadResult ReadZone(std::string_view text, const dns::Name& origin);

}  // namespace sekisho::resolver::rpz

#endif  // SEKISHO_RESOLVER_CORE_RPZ_ZONE_BUILDER_H_
