#include "controller/ledger/kept_head.h"

#include <fmt/format.h>

#include "common/base/file.h"

namespace relab::controller {

Result<void> KeptHead::keep(ByteView checkpoint) const {
  RELAB_TRY(const auto line, head_line(checkpoint));
  return replace_file(file_, line).during("keeping the head of the ledger");
}

Result<std::optional<std::string>> KeptHead::read() const {
  auto text = read_small_file(file_);
  if (text) return std::optional(std::move(*text));
  if (text.error().fault == Fault::missing) return std::optional<std::string>();
  return fail(text.error());
}

Result<void> KeptHead::compare(std::string_view kept, const Ledger& ledger,
                               const HeadOwner& owner) const {
  const auto doing = fmt::format("comparing the ledger with its head in {}", file_.string());
  const auto head = read_head(kept, owner);
  if (!head) {
    auto error = head.error();
    error.during.push_back(doing);
    error.hint = fmt::format(
        "the ledger itself may be whole: compare it with a head that is kept elsewhere, or look "
        "at it by `relab ledger show`; then remove {}",
        file_.string());
    return fail(std::move(error));
  }
  const auto compared = check_against(ledger, *head);
  if (compared) return {};
  auto error = compared.error();
  error.during.push_back(doing);
  error.hint = way_on();
  return fail(std::move(error));
}

Error KeptHead::gone(const std::filesystem::path& ledger) const {
  return {.fault = Fault::damaged,
          .what = fmt::format("the ledger is gone: its head is kept in {}, and nothing is at {}",
                              file_.string(), ledger.string()),
          .hint = way_on()};
}

std::string KeptHead::way_on() const {
  return fmt::format(
      "restore the newest copy of the state directory; only if there is none, begin anew: remove "
      "{} and enrol every agent once more",
      file_.string());
}

}  // namespace relab::controller
