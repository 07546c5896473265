#include "blocklist/feedd/open_store.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include "blocklist/feedd/local_export.h"
#include "proto/base/now.h"

namespace sekisho::feedd {
namespace {

namespace fs = std::filesystem;
using indicators::IndicatorStore;

// RocksDB would make a new, empty store over what is left of one that lost its CURRENT.
absl::Status CheckFiles(const std::string& folder) {
  std::error_code error;
  if (!fs::exists(folder, error) || fs::exists(folder + "/CURRENT", error)) return absl::OkStatus();
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    if (name.ends_with(".sst") || name.ends_with(".log") || name.starts_with("MANIFEST")) {
      return absl::DataLossError(folder + ": CURRENT is missing");
    }
  }
  return absl::OkStatus();
}

bool IsDamage(const absl::Status& status) {
  if (status.code() == absl::StatusCode::kDataLoss) return true;
  // A file that the store itself names is gone.
  const std::string text(status.message());
  return text.find("No such file or directory") != std::string::npos &&
         (text.find("MANIFEST") != std::string::npos || text.find(".sst") != std::string::npos);
}

absl::StatusOr<std::string> MoveAside(const std::string& folder) {
  const std::string aside = folder + ".damaged-" + std::to_string(UnixMicros(ReadClocks().wall) / 1'000'000);
  std::error_code error;
  fs::rename(folder, aside, error);
  if (error) return absl::UnavailableError(folder + ": cannot be moved aside: " + error.message());
  fs::remove(RebuildMark(folder), error);
  return aside;
}

}  // namespace

std::string RebuildMark(const std::string& folder) { return folder + ".rebuild"; }

absl::StatusOr<OpenedStore> OpenStore(const std::string& folder, const std::string& local_export) {
  absl::Status problem = CheckFiles(folder);
  if (problem.ok() && fs::exists(RebuildMark(folder))) {
    problem = absl::DataLossError("damage was met while it was read");
  }
  OpenedStore opened;
  if (problem.ok()) {
    auto store = IndicatorStore::Open(folder);
    if (store.ok()) {
      opened.store = std::move(*store);
      return opened;
    }
    if (!IsDamage(store.status())) return store.status();
    problem = store.status();
  }
  const auto aside = MoveAside(folder);
  if (!aside.ok()) return aside.status();
  auto store = IndicatorStore::Open(folder);
  if (!store.ok()) return store.status();
  opened.store = std::move(*store);
  opened.damage =
      "the indicator store was damaged (" + std::string(problem.message()) + ") and is kept at " + *aside;
  const auto locals = ImportLocals(local_export, opened.store.get());
  opened.damage += locals.ok() ? "; " + std::to_string(*locals) + " local rules came back from their export"
                               : "; local rules: " + std::string(locals.status().message());
  return opened;
}

}  // namespace sekisho::feedd
