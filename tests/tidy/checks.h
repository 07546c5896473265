// The checks behind the tidy test: each takes a file's path and text and lists the breaches it finds.
//
// Threads: functions without state. Limits: C++ is read by its braces, strings and comments, not parsed.
#ifndef SEKISHO_TESTS_TIDY_CHECKS_H_
#define SEKISHO_TESTS_TIDY_CHECKS_H_

#include <string>
#include <vector>

namespace sekisho::tidy {

struct File {
  std::string path;  // from the root of the repository, with '/'
  std::vector<std::string> lines;
};

using Breaches = std::vector<std::string>;  // "path:line: what is wrong"

// The leaf folder of kAllowed that holds a path; empty when there is none.
std::string LeafOf(const std::string& path);

void CheckIncludes(const File& file, Breaches* out);
void CheckBans(const File& file, Breaches* out);
// The targets that a CMakeLists.txt links, against the same table.
void CheckLinks(const File& file, Breaches* out);
// Files and functions above the hard limits; the others are those aimed at.
void CheckSizes(const File& file, Breaches* out);
void CheckWantedSizes(const File& file, Breaches* out);
void CheckName(const File& file, Breaches* out);
void CheckHeader(const File& file, Breaches* out);
// A cycle among the folders of kAllowed, as "a -> b -> a"; empty when there is none.
std::string FindCycle();

}  // namespace sekisho::tidy

#endif  // SEKISHO_TESTS_TIDY_CHECKS_H_
