// The command groups of the tool: one function per file <group>_command.cc, listed in main.cc's table.
//
// Threads: functions without state.
#ifndef SEKISHO_STORAGE_CLI_COMMAND_GROUPS_H_
#define SEKISHO_STORAGE_CLI_COMMAND_GROUPS_H_

#include <vector>

#include "storage/cli/command.h"

namespace sekisho::cli {

std::vector<Command> BlockCommands();        // block_command.cc
std::vector<Command> CheckConfigCommands();  // check_config_command.cc
std::vector<Command> EventsCommands();       // events_command.cc
std::vector<Command> ExplainCommands();      // explain_command.cc
std::vector<Command> FeedCommands();         // feed_command.cc
std::vector<Command> FeedPreviewCommands();  // feed_preview_command.cc
std::vector<Command> FeedScoreCommands();    // feed_score_command.cc
std::vector<Command> LogCommands();          // log_command.cc
std::vector<Command> PdnsCommands();         // pdns_command.cc
std::vector<Command> StatusCommands();       // status_command.cc
std::vector<Command> TokenCommands();        // token_command.cc
std::vector<Command> VersionCommands();      // version_command.cc

}  // namespace sekisho::cli

#endif  // SEKISHO_STORAGE_CLI_COMMAND_GROUPS_H_
