#include "common/wire/message.h"

#include <algorithm>
#include <capnp/compat/json.h>
#include <capnp/serialize.h>
#include <cstring>
#include <fmt/format.h>
#include <kj/array.h>
#include <kj/exception.h>
#include <limits>

#include "common/wire/check.h"

namespace relab {

namespace {

constexpr int nesting_max = 24;
constexpr std::size_t shown_nesting_max = 48;

capnp::ReaderOptions strict(std::size_t words) {
  return {.traversalLimitInWords = 4 * words + 64, .nestingLimit = nesting_max};
}

/// For messages that were walked whole within the strict limits: reading them again costs no more
/// than that walk.
capnp::ReaderOptions relaxed() {
  return {.traversalLimitInWords = std::numeric_limits<std::uint64_t>::max() / 16,
          .nestingLimit = nesting_max};
}

/// Follows every pointer, those of a newer version too, which the schema does not show: what is
/// accepted can be copied whole. Returns the words that a copy would have; words that no pointer
/// shows are not among them. Throws kj::Exception where a pointer is malformed.
Result<std::size_t> check_pointers(const kj::Array<capnp::word>& words) {
  capnp::FlatArrayMessageReader reader(words, strict(words.size()));
  const auto size = reader.getRoot<capnp::AnyPointer>().targetSize();
  if (size.capCount != 0)
    return fail(Fault::damaged, "the message holds capabilities, which mean nothing here");
  return static_cast<std::size_t>(size.wordCount) + 1;
}

std::string describe(const kj::Exception& exception) { return exception.getDescription().cStr(); }

}  // namespace

struct RawMessage::Parts {
  explicit Parts(kj::Array<capnp::word> taken) : words(kj::mv(taken)), reader(words, relaxed()) {}
  kj::Array<capnp::word> words;
  capnp::FlatArrayMessageReader reader;
};

void RawMessage::Release::operator()(Parts* parts) const { delete parts; }

Result<RawMessage> RawMessage::parse(ByteView bytes, capnp::StructSchema schema) {
  if (bytes.empty()) return fail(Fault::damaged, "the message is empty");
  if (bytes.size() > message_size_max)
    return fail(Fault::damaged, fmt::format("the message has {} bytes, more than {}", bytes.size(),
                                            message_size_max));
  if (bytes.size() % sizeof(capnp::word) != 0)
    return fail(
        Fault::damaged,
        fmt::format("the message has {} bytes, which is no whole number of words", bytes.size()));
  auto words = kj::heapArray<capnp::word>(bytes.size() / sizeof(capnp::word));
  std::memcpy(words.begin(), bytes.data(), bytes.size());
  try {
    RELAB_TRY(const auto shown, check_pointers(words));
    // Padding buys no reading: a copy, which has none, would be refused.
    capnp::FlatArrayMessageReader reader(words, strict(std::min(words.size(), shown)));
    if (reader.getEnd() != words.end())
      return fail(Fault::damaged, "there are bytes behind the end of the message");
    RELAB_CHECK(check_message(reader.getRoot<capnp::DynamicStruct>(schema)));
    return RawMessage(std::unique_ptr<Parts, Release>(new Parts(kj::mv(words))));
  } catch (const kj::Exception& exception) {
    return fail(Fault::damaged,
                fmt::format("not a message of type {}: {}", schema.getShortDisplayName().cStr(),
                            describe(exception)));
  }
}

Result<RawMessage> RawMessage::from_json(std::string_view json, capnp::StructSchema schema) {
  try {
    capnp::MallocMessageBuilder builder;
    capnp::JsonCodec codec;
    codec.setMaxNestingDepth(nesting_max);
    codec.setRejectUnknownFields(true);
    codec.decode(kj::ArrayPtr<const char>(json.data(), json.size()),
                 builder.initRoot<capnp::DynamicStruct>(schema));
    return from_builder(builder);
  } catch (const kj::Exception& exception) {
    return fail(Fault::invalid,
                fmt::format("not the JSON of a {}: {}", schema.getShortDisplayName().cStr(),
                            describe(exception)));
  }
}

RawMessage RawMessage::from_builder(capnp::MessageBuilder& builder) {
  return RawMessage(std::unique_ptr<Parts, Release>(new Parts(capnp::messageToFlatArray(builder))));
}

ByteView RawMessage::bytes() const {
  const auto bytes = parts_->words.asBytes();
  return {bytes.begin(), bytes.size()};
}

capnp::MessageReader& RawMessage::message() const { return parts_->reader; }

std::string RawMessage::to_json(capnp::StructSchema schema) const {
  capnp::JsonCodec codec;
  codec.setPrettyPrint(true);
  codec.setMaxNestingDepth(shown_nesting_max);
  const auto text = codec.encode(parts_->reader.getRoot<capnp::DynamicStruct>(schema));
  return {text.begin(), text.size()};
}

}  // namespace relab
