// A head that was kept elsewhere: what it says of the ledger, and what is no head at all.

#include "controller/ledger/head.h"

#include "common/wire/dsse.h"
#include "controller/run/book.h"
#include "tests/support/records.h"
#include "tests/support/scratch.h"

namespace relab::controller {

namespace {

struct Kept {
  explicit Kept(const std::string& first = "one") {
    must(book.begin(keys, "admin", "home"));
    must(book.removed(first, "test"));
    must(book.checkpoint(keys));
  }
  std::string line() const { return must(head_line(book.state().checkpoint())); }
  Result<Head> read(std::string_view text) const {
    return read_head(text, {.lab = "home", .key = keys.sign_key()});
  }
  Result<void> against(const std::string& text) const {
    return check_against(book.ledger(), must(read(text)));
  }

  Scratch scratch;
  crypto::Keys keys = fixed_keys(1);
  Book book = must(Book::open(scratch.path() / "home" / "ledger.db"));
};

/// The line with another statement in it, signed by those keys.
template <typename T>
std::string signed_line(const crypto::Keys& keys, Draft<T> statement) {
  return must(head_line(sign(keys, std::move(statement).finish()).bytes()));
}

Draft<schema::Checkpoint> checkpoint(const std::string& lab, std::uint64_t entries) {
  Draft<schema::Checkpoint> draft;
  draft->setLab(lab);
  draft->setEntries(entries);
  draft->setHead(blob(crypto::Digest{}));
  return draft;
}

}  // namespace

TEST_CASE("head: the newest checkpoint is one line that is read again", "[controller][ledger]") {
  const Kept kept;

  const auto line = kept.line();
  const auto head = must(kept.read(line));

  CHECK(line.find('\n') == line.size() - 1);
  CHECK(head.lab == "home");
  CHECK(head.entries == 2);
  CHECK(head.hash == kept.book.ledger().entries()[1].hash);
}

TEST_CASE("head: the same ledger, and what continues it, are accepted", "[controller][ledger]") {
  Kept kept;
  const auto line = kept.line();
  CHECK(kept.against(line));

  must(kept.book.removed("two", "test"));
  must(kept.book.checkpoint(kept.keys));

  CHECK(kept.against(line));
  CHECK(kept.against(kept.line()));
}

TEST_CASE("head: a ledger without its end, and another one, are told apart",
          "[controller][ledger]") {
  Kept whole;
  must(whole.book.removed("two", "test"));
  must(whole.book.checkpoint(whole.keys));
  const Kept other("another");

  const auto cut = Kept().against(whole.line());
  const auto replaced = Kept().against(other.line());

  CHECK(cut.error().what.find("its end is cut off. It had 5 entries at ") != std::string::npos);
  CHECK(cut.error().what.ends_with("entry 3 is the last now"));
  CHECK(replaced.error().what.starts_with("the ledger was replaced: entry 3 is another than at"));
}

TEST_CASE("head: of another controller or lab it says nothing", "[controller][ledger]") {
  const Kept kept;

  const auto stranger = kept.read(signed_line(fixed_keys(9), checkpoint("home", 2)));
  const auto elsewhere = kept.read(signed_line(kept.keys, checkpoint("away", 2)));

  CHECK(stranger.error().fault == Fault::conflict);
  CHECK(stranger.error().what.find(crypto::fingerprint(fixed_keys(9).sign_key())) !=
        std::string::npos);
  CHECK(elsewhere.error().what == "the head is of the lab 'away', the ledger of the lab 'home'");
}

TEST_CASE("head: what is no head is named as what it is", "[controller][ledger]") {
  const Kept kept;
  auto changed = nlohmann::json::parse(kept.line());
  auto two = changed;
  two["signatures"].push_back(two["signatures"][0]);
  auto plain = changed;
  plain["payload"] = "???";
  auto short_key = changed;
  short_key["signatures"][0]["keyid"] = "ab";
  std::string signature = changed["signatures"][0]["sig"];
  signature[7] = signature[7] == 'A' ? 'B' : 'A';
  changed["signatures"][0]["sig"] = signature;
  const auto twice = kept.line() + kept.line();
  const auto waiver = signed_line(kept.keys, Draft<schema::Waiver>());
  const auto of_nothing = signed_line(kept.keys, checkpoint("home", 0));
  const auto row = GENERATE_REF(table<std::string, std::string>({
      {"", "the file is empty"},
      {" \n", "the file is empty"},
      {"head", "it is no JSON object"},
      {"[]", "it is no JSON object"},
      {"{}", "it is no DSSE envelope"},
      {twice, "it is no JSON object"},
      {two.dump(), "it is no DSSE envelope with one signature"},
      {plain.dump(), "where there should be base64"},
      {short_key.dump(), "its signature does not verify"},
      {changed.dump(), "its signature does not verify"},
      {waiver, "is no checkpoint"},
      {of_nothing, "it covers no entries"},
  }));
  const auto& [text, why] = row;

  const auto head = kept.read(text);

  REQUIRE_FALSE(head);
  CHECK(head.error().fault == Fault::damaged);
  CHECK(head.error().what.starts_with("this is no head of a ledger: "));
  CHECK(head.error().what.find(why) != std::string::npos);
}

}  // namespace relab::controller
