#include "controller/ledger/head.h"

#include <fmt/format.h>

#include "common/base/text.h"
#include "common/wire/dsse.h"
#include "common/wire/envelope.h"

namespace relab::controller {

namespace {

constexpr auto how_made = "`relab ledger head --write FILE` writes one";

tl::unexpected<Error> no_head(const std::string& why) {
  return fail(Fault::damaged, "this is no head of a ledger: " + why, how_made);
}

Result<Opened> open_by(const Message<schema::Envelope>& envelope, const HeadOwner& owner) {
  auto opening = open_frame(envelope.bytes(), message_size_max,
                            [&](const auto& key) { return key == owner.key; });
  if (opening.opened) return std::move(*opening.opened);
  if (opening.reason != Unopened::unknown_key)
    return no_head(fmt::format("its signature does not verify ({})", name(opening.reason)));
  RELAB_TRY(const auto key, crypto::public_key(view(envelope.reader().getKey())));
  return fail(Fault::conflict,
              fmt::format("the head is signed with the key {}, the ledger is of the key {}",
                          crypto::fingerprint(key), crypto::fingerprint(owner.key)),
              "give a head of this ledger, or the right state directory");
}

}  // namespace

Result<std::string> head_line(ByteView checkpoint) {
  RELAB_TRY(const auto envelope, Message<schema::Envelope>::parse(checkpoint));
  return to_dsse(envelope.reader()).dump() + "\n";
}

Result<Head> read_head(std::string_view text, const HeadOwner& owner) {
  if (trim(text).empty()) return no_head("the file is empty");
  const auto envelope = from_dsse(text);
  if (!envelope) return no_head(envelope.error().what);
  RELAB_TRY(const auto opened, open_by(*envelope, owner));
  if (!opened.is<schema::Checkpoint>())
    return no_head(
        fmt::format("what is signed there is no checkpoint, but {}", clean_text(opened.type())));
  RELAB_TRY(const auto message, opened.as<schema::Checkpoint>());
  const auto checkpoint = message.reader();
  Head head{.lab = str(checkpoint.getLab()),
            .entries = checkpoint.getEntries(),
            .time = instant_of(checkpoint.getTime())};
  const auto hash = view(checkpoint.getHead());
  if (hash.size() != head.hash.size() || head.entries == 0)
    return no_head("it covers no entries, or has no hash");
  std::ranges::copy(hash, head.hash.begin());
  if (head.lab != owner.lab)
    return fail(
        Fault::conflict,
        fmt::format("the head is of the lab '{}', the ledger of the lab '{}'", head.lab, owner.lab),
        "give a head of this ledger, or the right lab file");
  return head;
}

Result<void> check_against(const Ledger& ledger, const Head& head) {
  const auto& entries = ledger.entries();
  const auto when = iso8601(head.time);
  // The checkpoint stands in the ledger itself, behind what it covers.
  if (head.entries >= entries.size())
    return fail(
        Fault::damaged,
        fmt::format("this is not the whole ledger: its end is cut off. It had {} entries at "
                    "{}, and entry {} is the last now",
                    head.entries + 1, when, entries.size()),
        "restore the newest copy");
  if (!crypto::equal(head.hash, entries[head.entries - 1].hash) ||
      !entries[head.entries].entry.reader().isCheckpoint())
    return fail(Fault::damaged,
                fmt::format("the ledger was replaced: entry {} is another than at {}",
                            head.entries + 1, when),
                "restore the copy that the head was taken from, or a newer one");
  return {};
}

}  // namespace relab::controller
