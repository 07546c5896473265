// Collecting rows. How they are written is in block_sections.cc.
#include "proto/record/block_builder.h"

#include <algorithm>
#include <bit>

#include "proto/base/bytes.h"
#include "proto/dns/name_key.h"
#include "proto/record/block_reader.h"
#include "proto/record/raw_record.h"

namespace sekisho::record {
namespace {

constexpr uint32_t kUnmapped = UINT32_MAX;

bool IsNameType(dns::RRType t) {
  return t == dns::RRType::kCNAME || t == dns::RRType::kDNAME || t == dns::RRType::kNS ||
         t == dns::RRType::kPTR;
}

// The number with all but its leading bits cleared.
uint32_t KeepBits(uint32_t v, uint32_t bits) {
  const auto width = static_cast<uint32_t>(std::bit_width(v));
  return width <= bits ? v : v >> (width - bits) << (width - bits);
}

template <typename T>
void Append(std::string* out, T value) {
  out->append(reinterpret_cast<const char*>(&value), sizeof(value));
}

void AppendHead(std::string* out, dns::RRType type, ItemKind kind) {
  Append(out, static_cast<uint16_t>(type));
  Append(out, static_cast<uint8_t>(kind));
}

}  // namespace

void BlockChain::CountLosses(std::vector<SourceRange>* sources) const {
  for (SourceRange& s : *sources) {
    const auto it = next_sequence_.find({s.node, s.boot, s.worker});
    const uint64_t expected = it == next_sequence_.end() ? 1 : it->second;
    if (s.last_sequence < expected) continue;
    const uint64_t span = s.last_sequence - expected + 1;
    s.lost = span > s.count ? span - s.count : 0;
  }
}

void BlockChain::Advance(const BlockHeader& header, const Digest& digest) {
  number_ = header.number;
  last_ = digest;
  for (const SourceRange& s : header.sources) {
    uint64_t& next = next_sequence_[{s.node, s.boot, s.worker}];
    next = std::max(next, s.last_sequence + 1);
  }
}

BlockBuilder::BlockBuilder(const BlockOptions& options)
    : options_(options),
      compressor_(options.zstd_level),
      names_(options.seed),
      texts_(options.seed),
      askers_(options.seed),
      manners_(options.seed),
      answers_(options.seed),
      exchanges_(options.seed) {
  options_.rows = std::clamp<uint32_t>(options_.rows, 1, kMaxBlockRows / 2);
  options_.chunk_rows = std::clamp<uint32_t>(options_.chunk_rows, kMaxBlockRows / kMaxChunks, kMaxBlockRows);
  Clear();
}

void BlockBuilder::Clear() {
  for (Dictionary* d : {&names_, &texts_, &askers_, &manners_, &answers_, &exchanges_}) d->Clear();
  texts_.Intern("");    // text 0
  answers_.Intern("");  // set 0
  base_size_.clear();
  rows_.clear();
  sources_.clear();
  first_us_ = INT64_MAX;
  last_us_ = INT64_MIN;
}

std::vector<BlockBuilder::ExchangeSum> BlockBuilder::SumExchanges() const {
  std::vector<ExchangeSum> sums(exchanges_.size());
  for (uint32_t id = 0; id < exchanges_.size(); ++id)
    sums[id].exchange = FromKeyBytes<Exchange>(exchanges_.Get(id));
  for (const Row& row : rows_) {
    ExchangeSum& sum = sums[row.exchange];
    ++sum.rows;
    sum.first_us = std::min(sum.first_us, row.time_us);
    sum.last_us = std::max(sum.last_us, row.time_us);
  }
  return sums;
}

bool BlockBuilder::AddRaw(std::span<const uint8_t> raw) {
  AnswerScratch scratch;
  const auto event = DecodeRaw(raw, &scratch);
  if (!event) return false;
  AddEvent(*event);
  return true;
}

void BlockBuilder::AddEvent(const LookupEvent& e) {
  AddRow({options_.node, options_.boot, e.worker, e.sequence}, e);
}

void BlockBuilder::AddRecord(const LookupRecord& r) {
  AnswerScratch scratch;
  const size_t items = std::min(r.answers.size(), scratch.size());
  for (size_t i = 0; i < items; ++i) scratch[i] = {r.answers[i].type, AsBytes(r.answers[i].rdata)};
  LookupEvent e;
  e.time = r.time;
  e.latency_us = r.latency_us;
  e.agency = r.agency;
  e.client = r.client;
  e.transport = r.transport;
  e.qname = r.qname;
  e.qtype = r.qtype;
  e.qclass = r.qclass;
  e.flags = r.flags;
  e.rcode = r.rcode;
  e.ede = r.ede;
  e.response_size = r.response_size;
  e.origin = r.origin;
  e.security = r.security;
  e.answers = std::span<const AnswerView>(scratch.data(), items);
  e.answers_cut = static_cast<uint16_t>(std::min<size_t>(r.answers_cut + r.answers.size() - items, 0xffff));
  e.action = r.action;
  e.trigger = r.trigger;
  e.trigger_name = r.trigger_name;
  e.rule_labels = r.rule_labels;
  e.rule_subtree = r.rule_subtree;
  e.feeds = r.feeds;
  e.category = r.category;
  e.generation = r.generation;
  AddRow({r.node, r.boot, r.worker, r.sequence}, e);
}

uint32_t BlockBuilder::InternName(dns::NameView name) {
  char key[dns::kMaxNameKeySize];
  return names_.Intern({key, dns::WriteNameKey(name, key)});
}

uint32_t BlockBuilder::InternAnswers(std::span<const AnswerView> answers) {
  key_.clear();
  for (const AnswerView& a : answers) {
    if (a.type == dns::RRType::kA && a.rdata.size() == 4) {
      AppendHead(&key_, a.type, ItemKind::kV4);
      key_.append(AsText(a.rdata));
      continue;
    }
    if (a.type == dns::RRType::kAAAA && a.rdata.size() == 16) {
      AppendHead(&key_, a.type, ItemKind::kV6);
      key_.append(AsText(a.rdata));
      continue;
    }
    if (IsNameType(a.type)) {
      if (const auto name = dns::NameView::FromWire(a.rdata)) {
        AppendHead(&key_, a.type, ItemKind::kName);
        Append(&key_, InternName(*name));
        continue;
      }
    }
    AppendHead(&key_, a.type, ItemKind::kOther);
    const auto rdata = a.rdata.first(std::min<size_t>(a.rdata.size(), 0xffff));
    Append(&key_, static_cast<uint16_t>(rdata.size()));
    key_.append(AsText(rdata));
  }
  return answers_.Intern(key_);
}

void BlockBuilder::AddRow(const Identity& id, const LookupEvent& e) {
  Exchange x{};
  x.name = InternName(e.qname);
  x.trigger_name = e.trigger_name.IsRoot() ? 0 : InternName(e.trigger_name) + 1;
  x.answers = e.answers.empty() ? 0 : InternAnswers(e.answers);
  x.feeds = texts_.Intern(e.feeds);
  x.category = texts_.Intern(e.category);
  x.qtype = static_cast<uint16_t>(e.qtype);
  x.qclass = static_cast<uint16_t>(e.qclass);
  x.rcode = static_cast<uint16_t>(e.rcode);
  x.ede = e.ede;
  x.answers_cut = e.answers_cut;
  x.security = static_cast<uint8_t>(e.security);
  x.action = static_cast<uint8_t>(e.action);
  x.trigger = static_cast<uint8_t>(e.trigger);
  x.rule_labels = e.rule_labels;
  x.rule_subtree = e.rule_subtree ? 1 : 0;

  const Asker who{e.client.address.mapped(), texts_.Intern(e.agency)};
  const Manner how{e.generation, e.flags, static_cast<uint8_t>(e.origin), static_cast<uint8_t>(e.transport),
                   0};
  Row row{};
  row.time_us = UnixMicros(e.time);
  row.time_us -= row.time_us % options_.time_unit_us;
  row.sequence = id.sequence;
  row.exchange = exchanges_.Intern(KeyBytes(x));
  row.asker = askers_.Intern(KeyBytes(who));
  row.manner = manners_.Intern(KeyBytes(how));
  row.latency_us = KeepBits(e.latency_us, options_.latency_bits);
  row.port = e.client.port;
  Push(id, row, e.response_size);
}

uint16_t BlockBuilder::SourceOf(const Identity& id) {
  for (size_t i = 0; i < sources_.size(); ++i) {
    const SourceRange& s = sources_[i];
    if (s.worker == id.worker && s.boot == id.boot && s.node == id.node) return static_cast<uint16_t>(i);
  }
  sources_.push_back({id.node, id.boot, id.worker, id.sequence, id.sequence, 0, 0});
  return static_cast<uint16_t>(sources_.size() - 1);
}

void BlockBuilder::Push(const Identity& id, Row row, uint16_t response_size) {
  row.source = SourceOf(id);
  SourceRange& s = sources_[row.source];
  s.first_sequence = std::min(s.first_sequence, id.sequence);
  s.last_sequence = std::max(s.last_sequence, id.sequence);
  ++s.count;
  if (row.exchange >= base_size_.size()) base_size_.resize(row.exchange + 1, response_size);
  row.size_delta = static_cast<int32_t>(response_size) - static_cast<int32_t>(base_size_[row.exchange]);
  first_us_ = std::min(first_us_, row.time_us);
  last_us_ = std::max(last_us_, row.time_us);
  rows_.push_back(row);
}

// Ids of the added block → ids here; filled as they are met, so that rows left out bring nothing with them.
struct BlockBuilder::Remap {
  std::vector<uint32_t> names;
  std::vector<uint32_t> texts;
  std::vector<uint32_t> askers;
  std::vector<uint32_t> manners;
  std::vector<uint32_t> answers;
  std::vector<uint32_t> exchanges;

  uint32_t Name(BlockReader& block, Dictionary* to, uint32_t id) {
    if (names[id] == kUnmapped) names[id] = to->Intern(block.NameKeyAt(id));
    return names[id];
  }
  uint32_t Text(BlockReader& block, Dictionary* to, uint32_t id) {
    if (texts[id] == kUnmapped) texts[id] = to->Intern(block.texts()[id]);
    return texts[id];
  }
};

uint32_t BlockBuilder::MapAnswers(BlockReader& block, uint32_t id, Remap* remap) {
  if (remap->answers[id] != kUnmapped) return remap->answers[id];
  key_.assign(block.AnswerSet(id));
  for (size_t at = 0; at < key_.size();) {
    char* payload = key_.data() + at + 3;
    switch (static_cast<ItemKind>(key_[at + 2])) {
      case ItemKind::kV4:
        at += 3 + 4;
        break;
      case ItemKind::kV6:
        at += 3 + 16;
        break;
      case ItemKind::kName: {
        uint32_t name = 0;
        std::memcpy(&name, payload, 4);
        name = remap->Name(block, &names_, name);
        std::memcpy(payload, &name, 4);
        at += 3 + 4;
        break;
      }
      case ItemKind::kOther: {
        uint16_t size = 0;
        std::memcpy(&size, payload, 2);
        at += size_t{3} + 2 + size;
        break;
      }
    }
  }
  return remap->answers[id] = answers_.Intern(key_);
}

uint32_t BlockBuilder::MapExchange(BlockReader& block, uint32_t id, Remap* remap) {
  if (remap->exchanges[id] != kUnmapped) return remap->exchanges[id];
  Exchange x = block.ExchangeAt(id);
  x.name = remap->Name(block, &names_, x.name);
  if (map_client_ && x.trigger == static_cast<uint8_t>(Trigger::kClient)) {
    x.trigger_name = 0;
    x.rule_labels = 0;
  }
  if (x.trigger_name != 0) x.trigger_name = remap->Name(block, &names_, x.trigger_name - 1) + 1;
  x.answers = MapAnswers(block, x.answers, remap);
  x.feeds = remap->Text(block, &texts_, x.feeds);
  x.category = remap->Text(block, &texts_, x.category);
  return remap->exchanges[id] = exchanges_.Intern(KeyBytes(x));
}

bool BlockBuilder::AddBlock(BlockReader& block, int64_t from_us, int64_t to_us, bool losses) {
  if (!block.Verify()) return false;
  Remap remap{.names = std::vector<uint32_t>(block.name_count(), kUnmapped),
              .texts = std::vector<uint32_t>(block.texts().size(), kUnmapped),
              .askers = std::vector<uint32_t>(block.askers().size(), kUnmapped),
              .manners = std::vector<uint32_t>(block.manners().size(), kUnmapped),
              .answers = std::vector<uint32_t>(block.answer_sets(), kUnmapped),
              .exchanges = std::vector<uint32_t>(block.exchange_count(), kUnmapped)};
  const BlockHeader& h = block.header();
  for (uint32_t chunk = 0; chunk < h.chunks(); ++chunk) {
    const auto* exchange_ids = block.ChunkExchangeIds(chunk);
    const auto* asker_ids = block.ChunkAskerIds(chunk);
    const auto* rest = block.ChunkRestColumns(chunk);
    if (exchange_ids == nullptr || asker_ids == nullptr || rest == nullptr) return false;
    for (size_t i = 0; i < exchange_ids->size(); ++i) {
      if (rest->time_us[i] < from_us || rest->time_us[i] >= to_us) continue;
      const SourceRange& s = h.sources[rest->source[i]];
      const auto asker = static_cast<uint32_t>((*asker_ids)[i]);
      if (remap.askers[asker] == kUnmapped) {
        Asker who = block.askers()[asker];
        who.agency = remap.Text(block, &texts_, who.agency);
        if (map_client_) who.address = map_client_(IpAddress::V6(who.address)).mapped();
        remap.askers[asker] = askers_.Intern(KeyBytes(who));
      }
      const auto manner = static_cast<uint32_t>(rest->manner[i]);
      if (remap.manners[manner] == kUnmapped)
        remap.manners[manner] = manners_.Intern(KeyBytes(block.manners()[manner]));
      Row row{};
      row.time_us = rest->time_us[i];
      row.sequence = rest->sequence[i];
      row.exchange = MapExchange(block, static_cast<uint32_t>((*exchange_ids)[i]), &remap);
      row.asker = remap.askers[asker];
      row.manner = remap.manners[manner];
      row.latency_us = static_cast<uint32_t>(rest->latency_us[i]);
      row.port = map_client_ ? uint16_t{0} : static_cast<uint16_t>(rest->port[i]);
      Push({s.node, s.boot, s.worker, row.sequence}, row,
           block.ResponseSize((*exchange_ids)[i], rest->size_delta[i]));
    }
  }
  if (losses) {
    for (const SourceRange& s : h.sources) {
      if (s.lost > 0) sources_[SourceOf({s.node, s.boot, s.worker, s.first_sequence})].lost += s.lost;
    }
  }
  return true;
}

}  // namespace sekisho::record
