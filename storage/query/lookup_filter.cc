#include "storage/query/lookup_filter.h"

#include <algorithm>
#include <charconv>

#include "proto/dns/name_key.h"
#include "storage/query/query_text.h"
#include "storage/query/value_names.h"

namespace sekisho::query {
namespace {

using record::Action;

bool ParsePrefixField(const char* field, const std::string& text, std::optional<IpPrefix>* out,
                      std::string* error) {
  if (text.empty()) return true;
  *out = IpPrefix::Parse(text);
  if (out->has_value()) return true;
  *error = std::string(field) +
           ": not an address or prefix like 192.0.2.0/24 or 2001:db8::1 (bits after the prefix "
           "must be zero)";
  return false;
}

bool ParseNameField(const char* field, const std::string& text, std::optional<std::string>* out,
                    std::string* error) {
  if (text.empty()) return true;
  const auto name = dns::Name::Parse(text);
  if (!name) {
    *error = std::string(field) + ": not a domain name";
    return false;
  }
  *out = dns::NameKey(*name);
  return true;
}

bool ParseKinds(const control::LogQuery& q, LookupFilter* f, std::string* error) {
  if (!q.verdict().empty() && !ActionsOfVerdict(q.verdict(), &f->actions)) {
    *error = "verdict: must be blocked, allowed, log-only or none";
    return false;
  }
  if (!q.rcode().empty() && !(f->rcode = dns::ParseRcode(q.rcode()))) {
    *error = "rcode: not a response code like NOERROR or NXDOMAIN";
    return false;
  }
  if (!q.type().empty() && !(f->type = dns::ParseRRType(q.type()))) {
    *error = "type: not a record type like A, AAAA or TYPE65";
    return false;
  }
  if (!q.cursor().empty() && !(f->after = DecodeCursor(q.cursor()))) {
    *error = "cursor: not one that an answer gave";
    return false;
  }
  return true;
}

}  // namespace

bool ActionsOfVerdict(std::string_view text, std::vector<Action>* out) {
  if (text == "blocked") {
    *out = {Action::kNxdomain, Action::kNodata, Action::kSinkhole,
            Action::kRefused,  Action::kDrop,   Action::kTcpOnly};
  } else if (text == "allowed") {
    *out = {Action::kAllow, Action::kPassthru};
  } else if (text == "log-only") {
    *out = {Action::kLogOnly};
  } else if (text == "none") {
    *out = {Action::kNone};
  } else {
    return false;
  }
  return true;
}

RowKey KeyOf(const record::LookupRecord& r) {
  return {UnixMicros(r.time), r.node, r.boot, r.worker, r.sequence};
}

std::string EncodeCursor(const RowKey& k) {
  return std::to_string(k.time_us) + "." + std::to_string(k.node) + "." + std::to_string(k.boot) + "." +
         std::to_string(k.worker) + "." + std::to_string(k.sequence);
}

std::optional<RowKey> DecodeCursor(std::string_view text) {
  RowKey key;
  const char* at = text.data();
  const char* end = text.data() + text.size();
  const auto number = [&](auto* out, bool last) {
    const auto r = std::from_chars(at, end, *out);
    if (r.ec != std::errc() || (last ? r.ptr != end : r.ptr == end || *r.ptr != '.')) return false;
    at = r.ptr + (last ? 0 : 1);
    return true;
  };
  if (!number(&key.time_us, false) || !number(&key.node, false) || !number(&key.boot, false) ||
      !number(&key.worker, false) || !number(&key.sequence, true)) {
    return std::nullopt;
  }
  return key;
}

Condition ConditionOf(const LookupFilter& f) {
  std::vector<Condition> all;
  const auto name = [&all](const std::string& key, Test::Match match) {
    all.push_back(Condition::Of({.field = Field::kName, .match = match, .name_key = key}));
  };
  const auto prefix = [&all](Field field, const IpPrefix& p) {
    all.push_back(Condition::Of({.field = field, .prefix = p}));
  };
  const auto text = [&all](Field field, const std::string& t) {
    all.push_back(Condition::Of({.field = field, .text = t}));
  };
  const auto numbers = [&all](Field field, std::vector<uint16_t> n) {
    all.push_back(Condition::Of({.field = field, .numbers = std::move(n)}));
  };
  if (!f.only_agencies.empty()) {
    std::vector<Condition> any;
    for (const std::string& a : f.only_agencies)
      any.push_back(Condition::Of({.field = Field::kAgency, .text = a}));
    all.push_back(Condition::Any(std::move(any)));
  }
  if (f.client) prefix(Field::kClient, *f.client);
  if (f.agency) text(Field::kAgency, *f.agency);
  if (f.name_key) name(*f.name_key, Test::Match::kExact);
  if (f.under_key) name(*f.under_key, Test::Match::kUnder);
  if (f.address) prefix(Field::kAnswer, *f.address);
  if (f.feed) text(Field::kFeed, *f.feed);
  if (f.rcode) numbers(Field::kRcode, {static_cast<uint16_t>(*f.rcode)});
  if (f.type) numbers(Field::kType, {static_cast<uint16_t>(*f.type)});
  if (!f.actions.empty()) {
    std::vector<uint16_t> actions;
    for (const Action a : f.actions) actions.push_back(static_cast<uint16_t>(a));
    numbers(Field::kAction, std::move(actions));
  }
  if (f.where) {
    if (f.where->kind == Condition::Kind::kAll) {
      all.insert(all.end(), f.where->parts.begin(), f.where->parts.end());
    } else {
      all.push_back(*f.where);
    }
  }
  return Condition::All(std::move(all));
}

std::optional<LookupFilter> MakeFilter(const control::LogQuery& q, uint64_t limit_cap, std::string* error) {
  LookupFilter f;
  if (!ParseNameField("name", q.name(), &f.name_key, error) ||
      !ParseNameField("under", q.under(), &f.under_key, error) ||
      !ParsePrefixField("address", q.address(), &f.address, error) ||
      !ParsePrefixField("client", q.client(), &f.client, error) || !ParseKinds(q, &f, error)) {
    return std::nullopt;
  }
  if (!q.agency().empty()) f.agency = q.agency();
  if (!q.feed().empty()) f.feed = q.feed();
  if (q.since_us() != 0) f.from_us = q.since_us();
  if (q.until_us() != 0) f.end_us = q.until_us();
  if (f.from_us >= f.end_us) {
    *error = "since: must be earlier than until";
    return std::nullopt;
  }
  if (!q.query().empty()) {
    QueryError where;
    f.where = ParseQuery(q.query(), &where);
    if (!f.where) {
      *error = where.Show(q.query());
      return std::nullopt;
    }
  }
  f.limit = q.limit() == 0 ? limit_cap : std::min<uint64_t>(q.limit(), limit_cap);
  f.oldest_first = q.oldest_first();
  return f;
}

}  // namespace sekisho::query
