#pragma once

/// The lowest lines of a terminal, drawn anew again and again; whatever else is printed goes above
/// them and stays.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace relab::controller {

class Screen {
 public:
  struct Size {
    std::size_t columns = 80;
    std::size_t rows = 24;
    bool operator==(const Size&) const = default;
  };
  using Write = std::function<void(std::string_view)>;

  /// `size` is asked before each drawing: a terminal may have become smaller or larger.
  Screen(Write write, std::function<Size()> size)
      : write_(std::move(write)), ask_size_(std::move(size)) {}
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;
  /// What was drawn last is taken away.
  ~Screen() { clear(); }

  Size size() const { return ask_size_(); }
  /// In place of what was drawn before; lines are cut to the terminal's width, and the last ones
  /// left out if there are too many.
  void draw(std::vector<std::string> lines);
  /// Takes the lines away: something is to be printed. `show` brings them back below it.
  void hide();
  void show();
  void clear();

 private:
  std::string erasure() const;
  void paint();

  Write write_;
  std::function<Size()> ask_size_;
  std::vector<std::string> lines_;
  /// The widths of what is on the terminal now.
  std::vector<std::size_t> drawn_;
};

/// Cut to so many columns; escape sequences have none, and are closed behind a cut.
std::string cut_to(std::string_view text, std::size_t columns);

}  // namespace relab::controller
