#pragma once

/// The only way from a command to standard output and standard error.

#include <iosfwd>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "common/base/result.h"
#include "controller/report/style.h"

namespace relab::controller {

class Screen;

class Printer {
 public:
  enum class Form { text, json };

  explicit Printer(Form form);

  bool json() const { return form_ == Form::json; }
  /// The terminal that standard output is; no colours if it is none or NO_COLOR is set.
  const Style& style() const { return style_; }

  /// To standard output, as text: nothing in JSON form.
  void text(std::string_view text);
  void line(std::string_view line);
  /// To standard output, as JSON: nothing in text form.
  void value(const nlohmann::json& value);
  void value_text(std::string_view json);
  /// To standard output, whatever the form.
  void raw(std::string_view text);

  /// Whether standard error is a terminal on which lines can be drawn anew.
  bool is_lively() const { return lively_; }
  /// Whatever is printed from now on goes above what the screen shows; null: there is none any
  /// more. Borrowed.
  void keep_above(Screen* screen) { screen_ = screen; }

  /// To standard error, in both forms: what goes on, what went wrong.
  void note(std::string_view line);
  void error(const Error& error);

  std::string bold(std::string_view text) const;
  std::string good(std::string_view text) const;
  std::string bad(std::string_view text) const;

  /// Without control characters: for texts that come from elsewhere and go into a line.
  static std::string harmless(std::string_view text);

  /// Whether everything so far reached standard output: a full disk or closed pipe is a failure.
  bool healthy() const;

 private:
  void print(std::ostream& stream, std::string_view text);

  Form form_;
  Style style_;
  bool lively_ = false;
  Screen* screen_ = nullptr;
};

}  // namespace relab::controller
