#include "storage/output/passive_output.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <ostream>
#include <vector>

#include "storage/output/row_output.h"

namespace sekisho::output {
namespace {

uint64_t CountOf(const control::PassiveRow& r) { return r.answered() + r.blocked() + r.collected(); }

class Cof final : public PassiveOutput {
 public:
  explicit Cof(std::ostream& out) : out_(out) {}

  void Row(const control::PassiveRow& r) override {
    if (r.data().empty()) return;
    nlohmann::ordered_json j = {{"rrname", r.name()},      {"rrtype", r.type()},
                                {"rdata", r.data()},       {"time_first", r.first_s()},
                                {"time_last", r.last_s()}, {"count", CountOf(r)}};
    if (r.blocked() > 0) j["x_blocked"] = r.blocked();
    if (r.collected() > 0) j["x_collected"] = r.collected();
    out_ << j.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
  }

 private:
  std::ostream& out_;
};

class Table final : public PassiveOutput {
 public:
  Table(const TimeZone& zone, std::ostream& out) : zone_(zone), out_(out) {
    lines_.push_back({"FIRST SEEN", "LAST SEEN", "ANSWERED", "BLOCKED", "COLLECTED", "NAME", "TYPE", "DATA"});
  }

  void Row(const control::PassiveRow& r) override {
    lines_.push_back({FormatTime(r.first_s() * 1'000'000, zone_, 0),
                      FormatTime(r.last_s() * 1'000'000, zone_, 0), std::to_string(r.answered()),
                      std::to_string(r.blocked()), std::to_string(r.collected()), r.name(), r.type(),
                      r.data().empty() ? "(blocked before it was resolved)" : r.data()});
    if (lines_.size() == kLinesAtOnce) Print();
  }
  void End() override { Print(); }

 private:
  static constexpr size_t kLinesAtOnce = 1000;
  static constexpr size_t kColumns = 8;

  void Print() {
    std::array<size_t, kColumns> width{};
    for (const auto& line : lines_) {
      for (size_t c = 0; c + 1 < kColumns; ++c) width[c] = std::max(width[c], line[c].size());
    }
    for (const auto& line : lines_) {
      std::string text;
      for (size_t c = 0; c < kColumns; ++c) {
        text += line[c];
        if (c + 1 < kColumns) text.append(width[c] - line[c].size() + 2, ' ');
      }
      out_ << text << "\n";
    }
    lines_.clear();
  }

  TimeZone zone_;
  std::ostream& out_;
  std::vector<std::array<std::string, kColumns>> lines_;
};

class Csv final : public PassiveOutput {
 public:
  Csv(const TimeZone& zone, std::ostream& out) : zone_(zone), out_(out) {
    out_ << "name,type,data,first_seen,last_seen,answered,blocked,collected\r\n";
  }

  void Row(const control::PassiveRow& r) override {
    out_ << CsvCell(r.name()) << "," << CsvCell(r.type()) << "," << CsvCell(r.data()) << ","
         << FormatTime(r.first_s() * 1'000'000, zone_, 0) << ","
         << FormatTime(r.last_s() * 1'000'000, zone_, 0) << "," << r.answered() << "," << r.blocked() << ","
         << r.collected() << "\r\n";
  }

 private:
  TimeZone zone_;
  std::ostream& out_;
};

}  // namespace

std::optional<PassiveFormat> ParsePassiveFormat(std::string_view text) {
  if (text == "cof") return PassiveFormat::kCof;
  if (text == "table") return PassiveFormat::kTable;
  if (text == "csv") return PassiveFormat::kCsv;
  return std::nullopt;
}

std::unique_ptr<PassiveOutput> MakePassiveOutput(PassiveFormat format, const TimeZone& zone,
                                                 std::ostream& out) {
  switch (format) {
    case PassiveFormat::kCof:
      return std::make_unique<Cof>(out);
    case PassiveFormat::kCsv:
      return std::make_unique<Csv>(zone, out);
    case PassiveFormat::kTable:
      break;
  }
  return std::make_unique<Table>(zone, out);
}

}  // namespace sekisho::output
