// FindFunctions: where the functions of a C++ file begin and end, for judging their length.
//
// A function is the outermost pair of braces that follows a parameter list; its first line is the first of
// its signature. Lambdas and local classes belong to the function they stand in.
//
// Threads: functions without state. Limits: reads braces, strings and comments; macros that open braces
// mislead it.
#ifndef SEKISHO_TESTS_TIDY_FUNCTIONS_H_
#define SEKISHO_TESTS_TIDY_FUNCTIONS_H_

#include <cstddef>
#include <string>
#include <vector>

namespace sekisho::tidy {

struct Extent {
  size_t first;  // index of the line
  size_t last;
};

std::vector<Extent> FindFunctions(const std::vector<std::string>& lines);

}  // namespace sekisho::tidy

#endif  // SEKISHO_TESTS_TIDY_FUNCTIONS_H_
