// CallLogd: requests to sekisho-logd and their answers; what went wrong is said on the error stream.
//
// Threads: functions without state. Limits: waits at most `patience` for each part of an answer.
#ifndef SEKISHO_STORAGE_CLI_LOGD_CALL_H_
#define SEKISHO_STORAGE_CLI_LOGD_CALL_H_

#include <functional>
#include <string>

#include "proto/base/now.h"
#include "proto/base/time_text.h"
#include "proto/schema/control.pb.h"
#include "storage/cli/command.h"

namespace sekisho::cli {

inline constexpr Duration kQueryPatience = std::chrono::seconds(40);  // a little more than a query may take

// `each` gets every part of the answer. False when it failed; `command` begins the message.
bool CallLogd(const Context& context, const std::string& command, const control::Request& request,
              Duration patience, const std::function<void(const control::Response&)>& each);

// The option as a time in *out, which is left alone when it was not given.
bool TakeTimeOption(const Context& context, const std::string& command, const Arguments& args,
                    const char* option, const TimeZone& zone, int64_t* out);
// A number from 1 on.
bool TakeLimitOption(const Context& context, const std::string& command, const Arguments& args,
                     uint64_t* out);

}  // namespace sekisho::cli

#endif  // SEKISHO_STORAGE_CLI_LOGD_CALL_H_
