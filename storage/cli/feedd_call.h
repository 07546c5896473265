// CallFeedd: one request to sekisho-feedd and its answer; what went wrong is said on the error stream.
//
// Threads: functions without state. Limits: waits at most `patience` for the answer.
#ifndef SEKISHO_STORAGE_CLI_FEEDD_CALL_H_
#define SEKISHO_STORAGE_CLI_FEEDD_CALL_H_

#include <absl/status/statusor.h>

#include <optional>
#include <string>
#include <string_view>

#include "proto/base/now.h"
#include "proto/schema/control.pb.h"
#include "storage/cli/command.h"

namespace sekisho::cli {

inline constexpr Duration kQuickAnswer = std::chrono::seconds(15);
inline constexpr Duration kSyncAnswer = std::chrono::minutes(20);

// One request to the daemon of this name.
absl::StatusOr<control::Response> CallDaemon(const Context& context, const std::string& daemon,
                                             const control::Request& request, Duration patience);
// Nothing when it failed; the reason stands on context.err already.
std::optional<control::Response> CallFeedd(const Context& context, const control::Request& request,
                                           Duration patience);

// Who calls, as the system knows them: SUDO_USER's name or the user's own.
std::string CallerName();

// Text from outside for a terminal: valid UTF-8 stays, control, bidirectional and broken bytes become \xHH;
// cut after `max` bytes.
std::string SafeText(std::string_view text, size_t max = 200);

}  // namespace sekisho::cli

#endif  // SEKISHO_STORAGE_CLI_FEEDD_CALL_H_
