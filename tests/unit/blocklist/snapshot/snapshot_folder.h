// SnapshotFolder: a temporary snapshot folder for a test, with tries of one rule each to publish.
//
// Threads: one.
#ifndef SEKISHO_TESTS_UNIT_BLOCKLIST_SNAPSHOT_SNAPSHOT_FOLDER_H_
#define SEKISHO_TESTS_UNIT_BLOCKLIST_SNAPSHOT_SNAPSHOT_FOLDER_H_

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

#include "blocklist/snapshot/snapshot_writer.h"
#include "proto/dns/name_key.h"

namespace sekisho::blocklist {

class SnapshotFolder {
 public:
  SnapshotFolder() {
    std::string pattern = ::testing::TempDir() + "snapshot-XXXXXX";
    path_ = ::mkdtemp(pattern.data());
  }
  ~SnapshotFolder() { std::filesystem::remove_all(path_); }
  const std::string& path() const { return path_; }
  std::string File(const std::string& name) const { return path_ + "/" + name; }

  std::string Read(const std::string& name) const {
    std::ifstream in(File(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void Write(const std::string& name, const std::string& text) const {
    std::ofstream(File(name), std::ios::binary) << text;
  }
  std::set<std::string> Names() const {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(path_))
      names.insert(entry.path().filename());
    return names;
  }

 private:
  std::string path_;
};

// Fills a trie with one subtree rule.
inline SnapshotWriter::Fill OneRule(const std::string& name, RuleAction action = RuleAction::kBlock) {
  return [name, action](const TrieBuilder::Writer& write) {
    TrieBuilder builder;
    const uint32_t source = builder.AddSource({"feed of " + name, "", ""});
    auto s = builder.Add(dns::NameKey(*dns::Name::Parse(name)), RuleScope::kSubtree, action, source);
    return s.ok() ? builder.Finish(write) : s;
  };
}

inline dns::Name N(const std::string& text) { return *dns::Name::Parse(text); }

}  // namespace sekisho::blocklist

#endif  // SEKISHO_TESTS_UNIT_BLOCKLIST_SNAPSHOT_SNAPSHOT_FOLDER_H_
