#pragma once

/// Files in memory under SQLite, as a disk has them: what was not synced is lost with the power, in
/// whole or torn, and a program can die in the middle of any write.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <sqlite3.h>
#include <string>
#include <vector>

#include "common/base/bytes.h"

namespace relab {

/// One file.
class SimFile {
 public:
  ByteView content() const { return now_; }
  void write(std::size_t at, ByteView bytes);
  void resize(std::size_t size);
  void sync();
  /// `below(n)` draws a number from 0 to n - 1.
  void lose_power(const std::function<std::uint64_t(std::uint64_t)>& below);

 private:
  /// A write that was not synced; without bytes, a new size.
  struct Pending {
    std::size_t at;
    Bytes bytes;
  };
  static void apply(Bytes& content, const Pending& change);

  Bytes now_;
  Bytes durable_;
  std::vector<Pending> pending_;
};

/// All files directly in one folder, which need not exist: from the constructor on, SQLite opens
/// them instead of those of the machine.
class SimFiles {
 public:
  explicit SimFiles(std::string folder);
  SimFiles(const SimFiles&) = delete;
  SimFiles& operator=(const SimFiles&) = delete;
  ~SimFiles();

  /// No file can grow, and none be overwritten.
  bool full = false;
  /// Syncs do nothing, and say that they did.
  bool lazy = false;

  /// The program dies in the write or sync after so many more of them.
  void die_after(std::uint64_t operations);
  void die() { dead_ = true; }
  /// Whether it died: nothing that it does has an effect.
  bool dead() const { return dead_; }
  /// Every file is closed, and the program may be started again.
  void revive();
  /// Of a program that died, and its machine with it.
  void lose_power(const std::function<std::uint64_t(std::uint64_t)>& below);
  /// All of them are gone.
  void remove_all() { files_.clear(); }
  /// Counts what changed any of them.
  std::uint64_t changes() const { return changes_; }

 private:
  friend struct SimVfs;
  /// Whether the program lives to see the end of what it is about to do.
  bool survives();

  std::string folder_;
  std::map<std::string, std::shared_ptr<SimFile>> files_;
  bool dead_ = false;
  std::uint64_t until_death_ = UINT64_MAX;
  std::uint64_t changes_ = 0;
};

}  // namespace relab
