// TempFolder: a folder for one test, gone with it.
//
// Threads: one.
#ifndef SEKISHO_TESTS_UNIT_STORAGE_INDICATORS_TEMP_FOLDER_H_
#define SEKISHO_TESTS_UNIT_STORAGE_INDICATORS_TEMP_FOLDER_H_

#include <cstdlib>
#include <filesystem>
#include <string>

namespace sekisho {

class TempFolder {
 public:
  TempFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "sekisho-test-XXXXXX").string();
    if (::mkdtemp(pattern.data()) != nullptr) path_ = pattern;
  }
  ~TempFolder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace sekisho

#endif  // SEKISHO_TESTS_UNIT_STORAGE_INDICATORS_TEMP_FOLDER_H_
