// Putting rows together from a block's dictionaries and columns.
#include <algorithm>

#include "proto/base/bytes.h"
#include "proto/record/block_reader.h"
#include "proto/record/column.h"

namespace sekisho::record {

bool BlockReader::Verify() {
  if (!LoadTexts() || !LoadNames() || !LoadAnswers() || !LoadExchanges() || !LoadAskers() || !LoadManners() ||
      Terms() == nullptr) {
    return false;
  }
  for (const SectionInfo& s : header_.sections) {  // those that nothing above has read
    std::span<const uint8_t> bytes;
    if (KindOf(s.id) != SectionKind::kAddresses && KindOf(s.id) <= SectionKind::kRowRest) continue;
    if (!Section(KindOf(s.id), s.id & 0xffff, &scratch_, &bytes)) return false;
  }
  if (!NamesAreKeysInOrder()) return Damaged("names");
  if (!PagesFitDirectory()) return Damaged("directory");
  for (uint32_t chunk = 0; chunk < header_.chunks(); ++chunk) {
    if (ChunkRestColumns(chunk) == nullptr) return false;
  }
  return UsesAreTrue();
}

// The counts that answers are made of must be those of the rows, or a block could hide what it holds.
bool BlockReader::UsesAreTrue() {
  std::vector<uint32_t> exchanges(exchange_count_, 0);
  std::vector<uint32_t> askers(askers_.size(), 0);
  const auto placed = [](const Use& use, uint32_t chunk) {
    return use.chunks.empty() || std::binary_search(use.chunks.begin(), use.chunks.end(), chunk);
  };
  for (uint32_t chunk = 0; chunk < header_.chunks(); ++chunk) {
    const auto* exchange_ids = ChunkExchangeIds(chunk);
    const auto* asker_ids = ChunkAskerIds(chunk);
    if (exchange_ids == nullptr || asker_ids == nullptr) return false;
    for (const uint32_t id : *exchange_ids) {
      ++exchanges[id];
      if (!placed(ExchangeUse(id), chunk)) return Damaged("places");
    }
    for (const uint32_t id : *asker_ids) {
      ++askers[id];
      if (!placed(AskerUse(id), chunk)) return Damaged("places");
    }
  }
  for (uint32_t id = 0; id < exchange_count_; ++id) {
    if (exchanges[id] != ExchangeUse(id).rows) return Damaged("uses");
  }
  for (uint32_t id = 0; id < askers_.size(); ++id) {
    if (askers[id] != AskerUse(id).rows) return Damaged("uses");
  }
  return true;
}

uint16_t BlockReader::ResponseSize(uint64_t exchange, uint64_t size_delta) {
  return static_cast<uint16_t>(BaseSize(static_cast<uint32_t>(exchange)) + UnZigZag(size_delta));
}

void BlockReader::FillExchange(const Exchange& x, LookupRecord* out) {
  out->qname = NameOf(x.name);
  out->qtype = static_cast<dns::RRType>(x.qtype);
  out->qclass = static_cast<dns::RRClass>(x.qclass);
  out->rcode = static_cast<dns::Rcode>(x.rcode);
  out->ede = x.ede;
  out->security = static_cast<Security>(x.security);
  out->answers_cut = x.answers_cut;
  out->action = static_cast<Action>(x.action);
  out->trigger = static_cast<Trigger>(x.trigger);
  out->trigger_name = x.trigger_name == 0 ? dns::Name() : NameOf(x.trigger_name - 1);
  out->rule_labels = x.rule_labels;
  out->rule_subtree = x.rule_subtree != 0;
  out->feeds = texts_[x.feeds];
  out->category = texts_[x.category];
  FillAnswers(AnswerSet(x.answers), out);
}

void BlockReader::FillAnswers(std::string_view set, LookupRecord* out) {
  out->answers.clear();
  while (!set.empty()) {
    AnswerItem item;
    item.type = static_cast<dns::RRType>(FromKeyBytes<uint16_t>(set));
    const auto kind = static_cast<ItemKind>(set[2]);
    set.remove_prefix(3);
    size_t size = 0;
    switch (kind) {
      case ItemKind::kV4:
        size = 4;
        item.rdata = set.substr(0, size);
        break;
      case ItemKind::kV6:
        size = 16;
        item.rdata = set.substr(0, size);
        break;
      case ItemKind::kName: {
        size = 4;
        const dns::Name name = NameOf(FromKeyBytes<uint32_t>(set));
        item.rdata = AsText(name.bytes());
        break;
      }
      case ItemKind::kOther:
        size = size_t{2} + FromKeyBytes<uint16_t>(set);
        item.rdata = set.substr(2, size - 2);
        break;
    }
    set.remove_prefix(size);
    out->answers.push_back(std::move(item));
  }
}

bool BlockReader::Row(uint32_t row, LookupRecord* out) {
  if (row >= header_.rows) return false;
  const uint32_t chunk = row / header_.chunk_rows;
  const uint32_t i = row % header_.chunk_rows;
  const auto* exchange_ids = ChunkExchangeIds(chunk);
  const auto* asker_ids = ChunkAskerIds(chunk);
  const Rest* rest = ChunkRestColumns(chunk);
  if (exchange_ids == nullptr || asker_ids == nullptr || rest == nullptr) return false;
  const SourceRange& source = header_.sources[rest->source[i]];
  out->node = source.node;
  out->boot = source.boot;
  out->worker = source.worker;
  out->sequence = rest->sequence[i];
  out->time = WallFromMicros(rest->time_us[i]);
  out->latency_us = static_cast<uint32_t>(rest->latency_us[i]);
  const Asker& who = askers_[(*asker_ids)[i]];
  out->agency = texts_[who.agency];
  out->client.address = IpAddress::FromRdata(who.address).value_or(IpAddress());
  out->client.port = static_cast<uint16_t>(rest->port[i]);
  const Manner& how = manners_[rest->manner[i]];
  out->transport = static_cast<Transport>(how.transport);
  out->origin = static_cast<Origin>(how.origin);
  out->flags = how.flags;
  out->generation = how.generation;
  out->response_size = ResponseSize((*exchange_ids)[i], rest->size_delta[i]);
  if (!LoadTexts()) return false;
  FillExchange(ExchangeAt(static_cast<uint32_t>((*exchange_ids)[i])), out);
  return error_.empty();
}

}  // namespace sekisho::record
