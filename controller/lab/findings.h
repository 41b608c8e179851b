#pragma once

/// What is found while a lab file is read: the place of every key, and the mistakes.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "controller/lab/mistake.h"

namespace relab::lab {

/// The most mistakes that are kept of one file; one more says how many were dropped.
inline constexpr std::size_t mistakes_max = 1000;

class Findings {
 public:
  explicit Findings(std::string file) : file_(std::move(file)) {}

  /// The value at this path stands here.
  void place(const std::string& path, Position at) { places_.emplace(path, at); }
  /// The next element of the list at `list` has this path of its own.
  void element(const std::string& list, std::string path) {
    elements_[list].push_back(std::move(path));
  }
  /// The path of an element, by its index: "guests.jellyfin", or "guests[3]" where it has no name.
  std::string element_path(const std::string& list, std::size_t index) const;
  /// Whether the file gives this key.
  bool given(const std::string& path) const { return places_.contains(path); }
  /// Where a path stands, or the nearest of those above it that stands somewhere.
  Position position(std::string_view path) const;

  void report(const std::string& path, std::string what, std::string hint = {});
  void report_at(Position at, std::string path, std::string what, std::string hint = {});

  /// In the order of the file.
  std::vector<Mistake> take() &&;

 private:
  std::string file_;
  std::map<std::string, Position, std::less<>> places_;
  std::map<std::string, std::vector<std::string>, std::less<>> elements_;
  std::vector<Mistake> mistakes_;
  std::size_t dropped_ = 0;
};

}  // namespace relab::lab
