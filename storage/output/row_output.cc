#include "storage/output/row_output.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <ostream>
#include <vector>

namespace sekisho::output {
namespace {

// Code points of one column or two; the text is valid UTF-8 without controls (the daemon sees to that).
size_t PointWidth(uint32_t p) {
  const bool wide =
      (p >= 0x1100 && p <= 0x115f) || (p >= 0x2e80 && p <= 0xa4cf) || (p >= 0xac00 && p <= 0xd7a3) ||
      (p >= 0xf900 && p <= 0xfaff) || (p >= 0xfe30 && p <= 0xfe6f) || (p >= 0xff00 && p <= 0xff60) ||
      (p >= 0xffe0 && p <= 0xffe6) || (p >= 0x1f300 && p <= 0x1faff) || (p >= 0x20000 && p <= 0x3fffd);
  return wide ? 2 : 1;
}

size_t PointSize(std::string_view s, uint32_t* point) {
  const auto lead = static_cast<uint8_t>(s[0]);
  const size_t size = std::min<size_t>(lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4, s.size());
  *point = size == 1 ? lead : lead & (0xffu >> (size + 1));
  for (size_t i = 1; i < size; ++i) *point = *point << 6 | (static_cast<uint8_t>(s[i]) & 0x3f);
  return size;
}

size_t Width(std::string_view s) {
  size_t width = 0;
  while (!s.empty()) {
    uint32_t point = 0;
    s.remove_prefix(PointSize(s, &point));
    width += PointWidth(point);
  }
  return width;
}

// Cut or filled to exactly `width` columns.
std::string Fit(std::string_view text, size_t width) {
  const size_t have = Width(text);
  if (have <= width) return std::string(text) + std::string(width - have, ' ');
  std::string out;
  size_t used = 0;
  while (!text.empty()) {
    uint32_t point = 0;
    const size_t size = PointSize(text, &point);
    if (used + PointWidth(point) + 1 > width) break;
    used += PointWidth(point);
    out.append(text.substr(0, size));
    text.remove_prefix(size);
  }
  out += "…";
  return out + std::string(width - std::min(width, used + 1), ' ');
}

std::string Verdict(const control::LookupRow& r) {
  if (r.action() == "none") return "";
  return r.feeds().empty() ? r.action() : r.action() + " (" + r.feeds() + ")";
}

std::string Answers(const control::LookupRow& r, std::string_view separator, bool types) {
  std::string out;
  for (const auto& a : r.answers()) {
    if (!out.empty()) out += separator;
    out += types ? a.type() + " " + a.data() : a.data();
  }
  if (r.answers_cut() > 0) out += std::string(separator) + "and " + std::to_string(r.answers_cut()) + " more";
  return out;
}

class Table final : public RowOutput {
 public:
  Table(const TimeZone& zone, size_t width, std::ostream& out) : zone_(zone), width_(width), out_(out) {}

  void Row(const control::LookupRow& r) override {
    lines_.push_back({FormatTime(r.time_us(), zone_, 3), r.client(), r.agency(), r.name(), r.type(),
                      r.rcode(), Verdict(r), Answers(r, ", ", false)});
    if (lines_.size() == kLinesAtOnce) Print();
  }
  void End() override { Print(); }

 private:
  static constexpr size_t kColumns = 8;
  static constexpr size_t kLinesAtOnce = 1000;  // columns are measured anew after so many
  using Line = std::array<std::string, kColumns>;

  void Print() {
    if (lines_.empty() && head_printed_) return;
    const Line head = {"TIME", "CLIENT", "AGENCY", "NAME", "TYPE", "RCODE", "VERDICT", "ANSWERS"};
    std::array<size_t, kColumns> width{};
    for (size_t c = 0; c < kColumns; ++c) {
      width[c] = Width(head[c]);
      for (const Line& l : lines_) width[c] = std::max(width[c], Width(l[c]));
    }
    Shrink(&width);
    if (!head_printed_) PrintLine(head, width);
    head_printed_ = true;
    for (const Line& l : lines_) PrintLine(l, width);
    lines_.clear();
  }

  // Takes columns from the widest of those that may be cut, down to their least.
  void Shrink(std::array<size_t, kColumns>* width) const {
    constexpr std::array<size_t, kColumns> kLeast = {0, 10, 6, 16, 0, 0, 8, 8};
    size_t total = 2 * (kColumns - 1);
    for (const size_t w : *width) total += w;
    while (total > width_) {
      size_t widest = kColumns;
      for (size_t c = 0; c < kColumns; ++c) {
        if (kLeast[c] > 0 && (*width)[c] > kLeast[c] &&
            (widest == kColumns || (*width)[c] > (*width)[widest]))
          widest = c;
      }
      if (widest == kColumns) return;
      --(*width)[widest];
      --total;
    }
  }

  void PrintLine(const Line& line, const std::array<size_t, kColumns>& width) {
    std::string text;
    for (size_t c = 0; c < kColumns; ++c) text += Fit(line[c], width[c]) + "  ";
    text.resize(text.find_last_not_of(' ') + 1);
    out_ << text << "\n";
  }

  TimeZone zone_;
  size_t width_;
  std::ostream& out_;
  std::vector<Line> lines_;
  bool head_printed_ = false;
};

class JsonLines final : public RowOutput {
 public:
  JsonLines(const TimeZone& zone, std::ostream& out) : zone_(zone), out_(out) {}

  void Row(const control::LookupRow& r) override {
    nlohmann::ordered_json j;
    j["time"] = FormatTime(r.time_us(), zone_, 6);
    j["agency"] = r.agency();
    j["client"] = r.client();
    j["client_port"] = r.client_port();
    j["transport"] = r.transport();
    j["name"] = r.name();
    j["type"] = r.type();
    if (!r.qclass().empty()) j["class"] = r.qclass();
    j["rcode"] = r.rcode();
    j["flags"] = std::vector<std::string>(r.flags().begin(), r.flags().end());
    auto answers = nlohmann::ordered_json::array();
    for (const auto& a : r.answers()) answers.push_back({{"type", a.type()}, {"data", a.data()}});
    j["answers"] = std::move(answers);
    if (r.answers_cut() > 0) j["answers_cut"] = r.answers_cut();
    j["action"] = r.action();
    if (r.trigger() != "none") {
      j["trigger"] = r.trigger();
      j["trigger_name"] = r.trigger_name();
      j["rule"] = r.rule();
      j["feeds"] = r.feeds();
      j["category"] = r.category();
    }
    j["generation"] = r.generation();
    j["origin"] = r.origin();
    j["security"] = r.security();
    j["latency_us"] = r.latency_us();
    j["response_size"] = r.response_size();
    if (r.ede() >= 0) j["ede"] = r.ede();
    j["node"] = r.node();
    j["boot"] = r.boot();
    j["worker"] = r.worker();
    j["sequence"] = r.sequence();
    out_ << j.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
  }

 private:
  TimeZone zone_;
  std::ostream& out_;
};

class Csv final : public RowOutput {
 public:
  Csv(const TimeZone& zone, std::ostream& out) : zone_(zone), out_(out) {}

  void Row(const control::LookupRow& r) override {
    Head();
    std::string flags;
    for (const std::string& f : r.flags()) flags += (flags.empty() ? "" : " ") + f;
    Line({FormatTime(r.time_us(), zone_, 6),
          r.agency(),
          r.client(),
          std::to_string(r.client_port()),
          r.transport(),
          r.name(),
          r.type(),
          r.rcode(),
          flags,
          Answers(r, "; ", true),
          r.action(),
          r.trigger(),
          r.trigger_name(),
          r.rule(),
          r.feeds(),
          r.category(),
          std::to_string(r.generation()),
          r.origin(),
          r.security(),
          std::to_string(r.latency_us()),
          std::to_string(r.response_size()),
          r.ede() < 0 ? "" : std::to_string(r.ede()),
          std::to_string(r.node()),
          std::to_string(r.boot()),
          std::to_string(r.worker()),
          std::to_string(r.sequence())});
  }
  void End() override { Head(); }

 private:
  void Head() {
    if (head_printed_) return;
    head_printed_ = true;
    Line({"time",  "agency",   "client",     "client_port", "transport", "name",         "type",
          "rcode", "flags",    "answers",    "action",      "trigger",   "trigger_name", "rule",
          "feeds", "category", "generation", "origin",      "security",  "latency_us",   "response_size",
          "ede",   "node",     "boot",       "worker",      "sequence"});
  }
  void Line(const std::vector<std::string>& cells) {
    std::string line;
    for (const std::string& cell : cells) line += (line.empty() ? "" : ",") + CsvCell(cell);
    out_ << line << "\r\n";
  }

  TimeZone zone_;
  std::ostream& out_;
  bool head_printed_ = false;
};

}  // namespace

std::optional<RowFormat> ParseRowFormat(std::string_view text) {
  if (text == "table") return RowFormat::kTable;
  if (text == "jsonl") return RowFormat::kJsonLines;
  if (text == "csv") return RowFormat::kCsv;
  return std::nullopt;
}

std::unique_ptr<RowOutput> MakeRowOutput(RowFormat format, const TimeZone& zone, size_t width,
                                         std::ostream& out) {
  switch (format) {
    case RowFormat::kJsonLines:
      return std::make_unique<JsonLines>(zone, out);
    case RowFormat::kCsv:
      return std::make_unique<Csv>(zone, out);
    case RowFormat::kTable:
      break;
  }
  return std::make_unique<Table>(zone, width, out);
}

std::string CsvCell(std::string_view text) {
  std::string cell(text);
  if (!cell.empty() && std::string_view("=+-@\t\r|%").find(cell[0]) != std::string_view::npos)
    cell.insert(0, 1, '\'');
  if (cell.find_first_of("\",\r\n;'") == std::string::npos) return cell;
  std::string out = "\"";
  for (const char c : cell) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

}  // namespace sekisho::output
