#include "storage/logd/export_host.h"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>

#include "proto/config/paths.h"

namespace sekisho::logd {
namespace {

namespace fs = std::filesystem;

// Printable ASCII, as syslog wants it.
std::string HostName() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0') return "-";
  std::string out(name.data());
  std::replace_if(out.begin(), out.end(), [](char c) { return c <= ' ' || c >= 0x7f; }, '_');
  return out;
}

exports::ExporterOptions OptionsOf(const config::Paths& paths, const config::Export& e) {
  exports::ExporterOptions o;
  o.name = e.name();
  o.spool_dir = paths.Spool();
  o.dir = paths.Exports() + "/" + e.name();
  o.form = e.format() == "dnstap" ? exports::FormKind::kDnstap : exports::FormKind::kOcsf;
  o.identity = {HostName(), SEKISHO_VERSION};
  o.sink.host = o.identity.host;
  const size_t colon = e.to().find(':');
  const std::string kind = e.to().substr(0, colon);
  const std::string rest = e.to().substr(colon + 1);
  const bool syslog = kind.starts_with("syslog");
  o.sink.framing = o.form == exports::FormKind::kDnstap ? exports::Framing::kFrameStream
                   : syslog                             ? exports::Framing::kSyslog
                                                        : exports::Framing::kLines;
  if (kind == "file") o.sink.file = rest;
  if (kind == "unix") o.sink.target.unix_path = rest;
  if (kind == "tcp" || syslog)
    o.sink.target.endpoint = Endpoint::Parse(rest, std::nullopt).value_or(Endpoint{});
  o.sink.target.tls = kind == "syslog-tls";
  o.sink.target.tls_ca = e.tls_ca();
  o.sink.target.tls_name = e.tls_name();
  if (e.has_rotate_bytes()) o.sink.rotate_bytes = e.rotate_bytes();
  if (e.has_keep_files()) o.sink.keep_files = e.keep_files();
  if (e.has_buffer_bytes()) o.buffer_bytes = e.buffer_bytes();
  return o;
}

}  // namespace

ExportHost::ExportHost(const config::Config& config, spdlog::logger& log) : log_(log) { Reload(config); }

void ExportHost::Reload(const config::Config& config) {
  std::vector<Running> ended;  // destroyed outside the lock: they say goodbye to their receivers
  std::set<std::string> wanted;
  for (const config::Export& e : config.log().exports()) wanted.insert(e.SerializeAsString());
  {
    std::lock_guard<std::mutex> lock(mutex_);
    for (auto it = running_.begin(); it != running_.end();) {
      if (wanted.contains(it->second.settings)) {
        ++it;
        continue;
      }
      ended.push_back(std::move(it->second));
      it = running_.erase(it);
    }
  }
  ended.clear();
  RemoveFolders(config);
  for (const config::Export& e : config.log().exports()) Begin(config, e);
}

void ExportHost::Begin(const config::Config& config, const config::Export& settings) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (running_.contains(settings.name())) return;
  }
  auto exporter = std::make_unique<exports::Exporter>(OptionsOf(config::Paths(config), settings));
  std::string error;
  const bool begun = exporter->Start(&error);
  if (!error.empty()) log_.error("export {}: {}", settings.name(), error);
  if (!begun) return;
  log_.info("export {}: {} to {}", settings.name(), settings.format(), settings.to());
  std::lock_guard<std::mutex> lock(mutex_);
  running_[settings.name()] = {settings.SerializeAsString(), std::move(exporter)};
}

// Only what exporters made: other files of the folder stay.
void ExportHost::RemoveFolders(const config::Config& config) {
  std::set<std::string> names;
  for (const config::Export& e : config.log().exports()) names.insert(e.name());
  std::error_code ec;
  for (const auto& folder : fs::directory_iterator(config::Paths(config).Exports(), ec)) {
    if (names.contains(folder.path().filename().string()) || !folder.is_directory(ec)) continue;
    log_.warn("export {} is configured no more: what waited for it is removed",
              folder.path().filename().string());
    for (const auto& file : fs::directory_iterator(folder.path(), ec)) {
      const std::string name = file.path().filename();
      if (record::SegmentId::Parse(name) || name == "STATE") fs::remove(file.path(), ec);
    }
    fs::remove(folder.path(), ec);
  }
}

void ExportHost::Keep(const record::SegmentId& id) {
  std::lock_guard<std::mutex> lock(mutex_);
  for (const auto& [name, running] : running_) running.exporter->Keep(id);
}

std::vector<exports::ExportStatus> ExportHost::Status() const {
  std::lock_guard<std::mutex> lock(mutex_);
  std::vector<exports::ExportStatus> out;
  for (const auto& [name, running] : running_) out.push_back(running.exporter->Status());
  return out;
}

}  // namespace sekisho::logd
