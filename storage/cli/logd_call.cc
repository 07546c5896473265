#include "storage/cli/logd_call.h"

#include <charconv>
#include <ostream>

#include "proto/config/config.h"
#include "proto/config/paths.h"
#include "proto/io/frame_client.h"

namespace sekisho::cli {

bool CallLogd(const Context& context, const std::string& command, const control::Request& request,
              Duration patience, const std::function<void(const control::Response&)>& each) {
  std::string socket = context.run_dir + "/logd.sock";
  if (context.run_dir.empty()) {
    const auto config = config::LoadConfig(context.config_path);
    if (!config.ok()) {
      context.err << command << ": " << std::string(config.status().message()) << "\n";
      return false;
    }
    socket = config::Paths(*config).LogdSocket();
  }
  auto client = io::FrameClient::Connect(socket, patience);
  const absl::Status status = client.ok() ? client->Call(request,
                                                         [&each](const control::Response& r) {
                                                           each(r);
                                                           return true;
                                                         })
                                          : client.status();
  if (!status.ok()) context.err << command << ": " << std::string(status.message()) << "\n";
  return status.ok();
}

bool TakeTimeOption(const Context& context, const std::string& command, const Arguments& args,
                    const char* option, const TimeZone& zone, int64_t* out) {
  if (!args.Has(option)) return true;
  const auto time = ParseTime(args.Get(option), ReadClocks().wall, zone);
  if (!time) {
    context.err << command << ": " << option
                << ": not a time; write 15m, 2h or 7d (ago), 2026-01-31, or 2026-01-31T09:00:00+09:00\n";
    return false;
  }
  *out = *time;
  return true;
}

bool TakeLimitOption(const Context& context, const std::string& command, const Arguments& args,
                     uint64_t* out) {
  const std::string text = args.Get("--limit");
  const auto r = std::from_chars(text.data(), text.data() + text.size(), *out);
  if (r.ec == std::errc() && r.ptr == text.data() + text.size() && *out > 0) return true;
  context.err << command << ": --limit: must be a number from 1 on\n";
  return false;
}

}  // namespace sekisho::cli
