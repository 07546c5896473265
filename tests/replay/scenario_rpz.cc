// Scenario: response policy zones.
#include <algorithm>
#include <map>
#include <sstream>

#include "resolver/core/rpz/zone_builder.h"
#include "tests/replay/scenario.h"

namespace sekisho::replay {
namespace {

using resolver::rpz::Override;

const std::map<std::string, Override> kActions = {
    {"given", Override::kGiven},       {"disabled", Override::kDisabled}, {"passthru", Override::kPassthru},
    {"nxdomain", Override::kNxdomain}, {"nodata", Override::kNodata},     {"drop", Override::kDrop},
    {"tcp-only", Override::kTcpOnly},  {"cname", Override::kCname}};

const std::map<std::string, dns::EdeCode> kErrors = {{"blocked", dns::EdeCode::kBlocked},
                                                     {"censored", dns::EdeCode::kCensored},
                                                     {"filtered", dns::EdeCode::kFiltered}};

}  // namespace

bool Scenario::PolicyZoneWord(const std::string& word, resolver::rpz::ZoneConfig* config,
                              std::vector<resolver::AgencyTable::Id>* agencies) {
  const size_t eq = word.find('=');
  const std::string key = word.substr(0, eq);
  const std::string value = eq == std::string::npos ? "" : word.substr(eq + 1);
  if (key == "signal-nxdomain-ra") {
    config->signal_nxdomain_ra = true;
  } else if (key == "log-only") {
    config->log_only = true;
  } else if (key == "action" && kActions.contains(value)) {
    config->action = kActions.at(value);
  } else if (key == "cname") {
    config->cname = NameOf(value);
  } else if (key == "primary") {
    config->primaries.push_back(AddressOf(value));
  } else if (key == "max-ttl") {
    config->max_ttl = static_cast<uint32_t>(NumberOf(value));
  } else if (key == "ede" && (value == "none" || kErrors.contains(value))) {
    config->error.reset();
    if (value != "none") config->error = kErrors.at(value);
  } else if (key == "agency") {
    for (size_t i = 0; i < settings_.agencies.size(); ++i) {
      const auto id = static_cast<resolver::AgencyTable::Id>(i);
      if (settings_.agencies.name(id) == value) agencies->push_back(id);
    }
    if (agencies->empty()) Fail("no agency is called " + value);
  } else {
    return false;
  }
  return true;
}

// rpz NAME [agency=…] [action=…] [cname=…] [log-only] [signal-nxdomain-ra] [max-ttl=…] [ede=…], records, end
void Scenario::PolicyZone(const Words& w) {
  if (w.size() < 2) return Fail("rpz NAME …");
  auto config = std::make_shared<resolver::rpz::ZoneConfig>();
  config->name = w[1];
  config->origin = NameOf(w[1]);
  std::vector<resolver::AgencyTable::Id> agencies;
  for (size_t i = 2; i < w.size(); ++i) {
    if (!PolicyZoneWord(w[i], config.get(), &agencies)) Fail("unknown word \"" + w[i] + "\"");
  }
  std::string text;
  for (auto words = NextLine(); words && words->front() != "end"; words = NextLine()) {
    for (const auto& word : *words) text += word + " ";
    text += "\n";
  }
  const auto read = resolver::rpz::ReadZone(text, NameOf(w[1]));
  if (read.zone == nullptr) return Fail("record " + std::to_string(read.line) + ": " + read.error);
  if (read.left_out != 0) Fail("left out: " + read.left_out_reason);
  auto& zones = settings_.policy_zones;
  const auto at = std::find_if(zones.begin(), zones.end(), [&](const auto& z) { return z->name == w[1]; });
  if (at == zones.end()) {
    zones.push_back(config);
    zone_agencies_.push_back(agencies);
  } else {
    zone_agencies_[static_cast<size_t>(at - zones.begin())] = agencies;
    *at = config;
  }
  zones_[w[1]] = read.zone;
  zones_changed_ = true;
}

void Scenario::DropPolicyZone(const Words& w) {
  if (w.size() != 2) return Fail("droprpz NAME");
  auto& zones = settings_.policy_zones;
  const auto at = std::find_if(zones.begin(), zones.end(), [&](const auto& z) { return z->name == w[1]; });
  if (at == zones.end()) return Fail("there is no policy zone " + w[1]);
  zone_agencies_.erase(zone_agencies_.begin() + (at - zones.begin()));
  zones.erase(at);
  zones_.erase(w[1]);
  zones_changed_ = true;
}

}  // namespace sekisho::replay
