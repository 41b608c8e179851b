// Messages from outside: what is too large, too deep, amplified, or followed by something.

#include "common/wire/message.h"

#include "common/wire/check.h"
#include "schema/role.capnp.h"
#include "schema/task.capnp.h"
#include "schema/wire.capnp.h"
#include "tests/support/must.h"

namespace relab {

namespace {

/// A message of one segment out of its words.
Bytes segment(const std::vector<std::uint64_t>& words) {
  Bytes bytes;
  const auto put = [&](std::uint64_t value, unsigned size) {
    for (unsigned i = 0; i < size; ++i)
      bytes.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
  };
  put(0, 4);
  put(words.size(), 4);
  for (const auto word : words) put(word, 8);
  return bytes;
}

constexpr std::uint64_t struct_pointer(std::uint64_t data, std::uint64_t pointers,
                                       std::uint64_t offset = 0) {
  return offset << 2U | data << 32U | pointers << 48U;
}
constexpr std::uint64_t list_pointer(std::uint64_t element, std::uint64_t count,
                                     std::uint64_t offset) {
  return 1U | offset << 2U | element << 32U | count << 35U;
}

template <typename T>
Fault fault_of(const Bytes& bytes) {
  const auto parsed = Message<T>::parse(bytes);
  REQUIRE_FALSE(parsed);
  return parsed.error().fault;
}

}  // namespace

TEST_CASE("message: nothing, a part of a word and too much are damaged", "[common][wire]") {
  CHECK(fault_of<schema::Ack>({}) == Fault::damaged);
  CHECK(fault_of<schema::Ack>(Bytes(7)) == Fault::damaged);
  CHECK(fault_of<schema::Ack>(Bytes(message_size_max + 8)) == Fault::damaged);
}

TEST_CASE("message: bytes behind the end are damage", "[common][wire]") {
  Draft<schema::Ack> ack;
  ack->setTaskId(blob(Bytes(16, 1)));
  const auto message = std::move(ack).finish();
  Bytes bytes(message.bytes().begin(), message.bytes().end());
  CHECK(Message<schema::Ack>::parse(bytes));

  bytes.insert(bytes.end(), 8, 0);

  CHECK(Message<schema::Ack>::parse(bytes).error().what ==
        "there are bytes behind the end of the message");
}

TEST_CASE("message: a table of segments that promises more than there is", "[common][wire]") {
  CHECK(fault_of<schema::Ack>({0xFF, 0xFF, 0xFF, 0xFF, 1, 0, 0, 0}) == Fault::damaged);
  CHECK(fault_of<schema::Ack>({0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0x7F}) == Fault::damaged);
  CHECK(fault_of<schema::Ack>({1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0}) == Fault::damaged);
}

TEST_CASE("message: pointers out of the message are damage", "[common][wire]") {
  CHECK(fault_of<schema::Ack>(segment({struct_pointer(0, 2, 1000)})) == Fault::damaged);
  CHECK(fault_of<schema::Ack>(segment({struct_pointer(0, 2), list_pointer(2, 1000, 0),
                                       list_pointer(2, 0, 0)})) == Fault::damaged);
}

TEST_CASE("message: pointers that only a newer version knows are checked all the same",
          "[common][wire]") {
  // An acknowledgement has two pointers; the third is not in its schema.
  const auto third = [](std::uint64_t pointer) {
    return segment({struct_pointer(0, 3), 0, 0, pointer});
  };
  constexpr std::uint64_t capability = 3;

  CHECK(Message<schema::Ack>::parse(third(0)));
  CHECK(fault_of<schema::Ack>(third(list_pointer(2, 1000, 0))) == Fault::damaged);
  CHECK(fault_of<schema::Ack>(third(struct_pointer(0, 2, 1000))) == Fault::damaged);
  CHECK(fault_of<schema::Ack>(third(capability)) == Fault::damaged);
}

TEST_CASE("message: a list of many elements without size costs nothing and is refused",
          "[common][wire]") {
  // The kinds of a hello (its pointer 6) and the tasks (7), each as five hundred million voids.
  const auto pointer = GENERATE(6U, 7U);
  std::vector<std::uint64_t> words = {struct_pointer(3, 12)};
  words.resize(1 + 3 + 12);
  words[4 + pointer] = list_pointer(0, 0x1FFF'FFFF, 0);

  const auto parsed = Message<schema::Hello>::parse(segment(words));

  CHECK_FALSE(parsed);
}

TEST_CASE("message: a list of structs without size is refused by its count", "[common][wire]") {
  // A composite list of structs of no words: the tag says how many.
  std::vector<std::uint64_t> words = {struct_pointer(0, 8)};
  words.resize(1 + 8);
  // Every pointer of the hello that holds a list of structs shows the same tag.
  for (unsigned pointer = 0; pointer < 8; ++pointer)
    words[1 + pointer] = list_pointer(7, 0, 7 - pointer);
  words.push_back(std::uint64_t{0x1FFF'FFFF} << 2U);

  CHECK_FALSE(Message<schema::Hello>::parse(segment(words)));
}

TEST_CASE("message: padding does not make more elements without size acceptable",
          "[common][wire]") {
  // Five hundred steps of no words, behind as many words as would pay for reading them.
  std::vector<std::uint64_t> words = {struct_pointer(0, 6)};
  words.resize(1 + 6);
  constexpr unsigned padding = 200;
  words[1 + 4] = list_pointer(7, 0, 1 + padding);
  words.resize(words.size() + padding);
  words.push_back(std::uint64_t{500} << 2U);

  CHECK(fault_of<schema::Approval>(segment(words)) == Fault::damaged);

  // A few are accepted, and so is their copy.
  words.back() = std::uint64_t{50} << 2U;
  const auto few = must(Message<schema::Approval>::parse(segment(words)));
  REQUIRE(few.reader().getSteps().size() == 50);
  Draft<schema::Approval> copy(few.reader());
  CHECK(Message<schema::Approval>::parse(std::move(copy).finish().bytes()));
}

TEST_CASE("message: one object that many pointers show is refused, if reading it multiplies",
          "[common][wire]") {
  // A list of names that are all the same text of a thousand bytes.
  constexpr unsigned count = 1000;
  std::vector<std::uint64_t> words = {struct_pointer(0, 5)};
  words.resize(1 + 5);
  words[1 + 2] = list_pointer(6, count, 2);
  for (unsigned i = 0; i < count; ++i) words.push_back(list_pointer(2, 1000, count - 1 - i));
  for (unsigned i = 0; i < 124; ++i) words.push_back(0x6161'6161'6161'6161);
  words.push_back(0x0061'6161'6161'6161);

  CHECK_FALSE(Message<schema::RoleManifest>::parse(segment(words)));
}

TEST_CASE("message: JSON with unknown keys, wrong types or too deep is invalid", "[common][wire]") {
  const auto json = GENERATE(
      as<std::string>(), "", "null", "[]", "{", R"({"x": 1})", R"({"attempt": "x"})",
      R"({"attempt": -1})", R"({"attempt": 4294967296})", R"({"mode": "never"})",
      R"({"attempt": 1} x)", std::string(10000, '['), R"({"lab": )" + std::string(10000, '{'));

  CHECK(Message<schema::Order>::from_json(json).error().fault == Fault::invalid);
}

TEST_CASE("message: what JSON makes is what JSON shows", "[common][wire]") {
  const auto order = must(Message<schema::Order>::from_json(
      R"({"lab": "home", "attempt": 3, "mode": "apply", "task": {"ping": {"echo": "hi"}}})"));

  const auto again = must(Message<schema::Order>::from_json(order.to_json()));

  CHECK(again.to_json() == order.to_json());
  CHECK(view(again.reader().getTask().getPing().getEcho()) == "hi");
  CHECK(Message<schema::Order>::parse(order.bytes()));
}

TEST_CASE("check: a member of a union that this version does not know is unsupported",
          "[common][wire]") {
  Draft<schema::Task> draft;
  draft->initPing();
  const auto message = std::move(draft).finish();
  Bytes bytes(message.bytes().begin(), message.bytes().end());
  bytes[16] = 0xFF;  // the union's discriminant: the first word of the root

  const auto parsed = Message<schema::Task>::parse(bytes);

  REQUIRE_FALSE(parsed);
  CHECK(parsed.error().fault == Fault::unsupported);
}

TEST_CASE("check: an enumerant that this version does not know is unsupported", "[common][wire]") {
  Draft<schema::Identity> draft;
  draft->setRole(static_cast<schema::Role>(77));
  const auto message = std::move(draft).finish();

  CHECK(Message<schema::Identity>::parse(message.bytes()).error().fault == Fault::unsupported);
}

TEST_CASE("clean: every text is made clean, however deep, and nothing else is touched",
          "[common][wire]") {
  Draft<schema::Report> draft;
  draft->setLab("h\xFFome");
  draft->initFailure().setWhat("caf\xE9");
  auto log = draft->initLog(2);
  log.set(0, "fine");
  log.set(1, "b\x80");
  draft->getFacts().initPing().setEcho("\xC3");
  draft->setRun(blob(Bytes{0xFF}));

  clean_message(capnp::toDynamic(*draft));
  const auto report = std::move(draft).finish();

  CHECK(view(report.reader().getLab()) == "h\xEF\xBF\xBDome");
  CHECK(view(report.reader().getFailure().getWhat()) == "caf\xEF\xBF\xBD");
  CHECK(view(report.reader().getLog()[0]) == "fine");
  CHECK(view(report.reader().getLog()[1]) == "b\xEF\xBF\xBD");
  CHECK(view(report.reader().getFacts().getPing().getEcho()) == "\xEF\xBF\xBD");
  CHECK(view(report.reader().getRun())[0] == 0xFF);
  CHECK(Message<schema::Report>::parse(report.bytes()));
}

TEST_CASE("clean: text with a NUL inside is not cut off there", "[common][wire]") {
  Draft<schema::Receipt> draft;
  auto text = draft->initWhat(3);
  text[0] = 'a';
  text[1] = '\0';
  text[2] = 'b';

  clean_message(capnp::toDynamic(*draft));
  const auto receipt = std::move(draft).finish();

  CHECK(view(receipt.reader().getWhat()) ==
        "a\xEF\xBF\xBD"
        "b");
}

}  // namespace relab
