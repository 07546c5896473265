// Putting rows together from a block's dictionaries and columns.
#include "proto/base/bytes.h"
#include "proto/record/block_reader.h"

namespace sekisho::record {

bool BlockReader::Verify() {
  if (!LoadAnswers() || !LoadExchanges() || !LoadAskers() || !LoadManners()) return false;
  if (!NamesAreKeysInOrder()) return Damaged("names");
  for (uint32_t chunk = 0; chunk < header_.chunks(); ++chunk) {
    if (ChunkAskerIds(chunk) == nullptr || ChunkRestColumns(chunk) == nullptr) return false;
  }
  return true;
}

void BlockReader::FillExchange(const Exchange& x, LookupRecord* out) const {
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

void BlockReader::FillAnswers(std::string_view set, LookupRecord* out) const {
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
  if (exchange_ids == nullptr || asker_ids == nullptr || rest == nullptr || !LoadAnswers()) return false;
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
  out->response_size = static_cast<uint16_t>(rest->response_size[i]);
  FillExchange(exchanges_[(*exchange_ids)[i]], out);
  return true;
}

}  // namespace sekisho::record
