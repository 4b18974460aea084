// TensorBoard event files: see event_reader.hpp.
#include "log/event_reader.hpp"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <cstring>

#include "log/log_reader.hpp"

namespace lbann::log {

namespace {

// Castagnoli's polynomial, reflected; slicing by eight bytes.
constexpr std::array<std::array<std::uint32_t, 256>, 8> make_tables() {
  std::array<std::array<std::uint32_t, 256>, 8> t{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t c = i;
    for (int k = 0; k < 8; ++k) c = c & 1 ? (c >> 1) ^ 0x82f63b78U : c >> 1;
    t[0][i] = c;
  }
  for (std::uint32_t i = 0; i < 256; ++i)
    for (std::size_t k = 1; k < 8; ++k) t[k][i] = (t[k - 1][i] >> 8) ^ t[0][t[k - 1][i] & 0xff];
  return t;
}
constexpr auto tables = make_tables();

template <class T>
T load(const char* at) {
  static_assert(std::endian::native == std::endian::little);
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

constexpr std::size_t head_bytes = 12;
constexpr std::size_t tail_bytes = 4;

// Protobuf's wire format, field by field; a message that is not whole ends early with bad().
class Fields {
public:
  explicit Fields(std::string_view text) : text_(text) {}

  std::uint32_t number = 0;
  std::uint32_t type = 0;
  std::uint64_t bits = 0;    // varint, fixed32, fixed64
  std::string_view bytes{};  // length-delimited

  bool next() {
    if (text_.empty() || bad_) return false;
    std::uint64_t key = 0;
    if (!varint(key) || key >> 3 > 0x1fffffff || key >> 3 == 0) return fail();
    number = static_cast<std::uint32_t>(key >> 3);
    type = static_cast<std::uint32_t>(key & 7);
    if (type == 0) return varint(bits) || fail();
    if (type == 1) return fixed<std::uint64_t>() || fail();
    if (type == 5) return fixed<std::uint32_t>() || fail();
    std::uint64_t size = 0;
    if (type != 2 || !varint(size) || size > text_.size()) return fail();
    bytes = text_.substr(0, static_cast<std::size_t>(size));
    text_.remove_prefix(static_cast<std::size_t>(size));
    return true;
  }
  bool bad() const { return bad_; }
  double as_double() const { return std::bit_cast<double>(bits); }
  double as_float() const { return std::bit_cast<float>(static_cast<std::uint32_t>(bits)); }

private:
  bool varint(std::uint64_t& value) {
    value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (text_.empty()) return false;
      const auto byte = static_cast<unsigned char>(text_[0]);
      text_.remove_prefix(1);
      value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return true;
    }
    return false;
  }
  template <class T>
  bool fixed() {
    if (text_.size() < sizeof(T)) return false;
    bits = load<T>(text_.data());
    text_.remove_prefix(sizeof(T));
    return true;
  }
  bool fail() {
    bad_ = true;
    return false;
  }

  std::string_view text_;
  bool bad_ = false;
};

// A tensor of one element; nullopt: something else.
std::optional<double> read_scalar(std::string_view message) {
  enum { dt_float = 1, dt_double = 2, dt_int32 = 3, dt_int64 = 9 };
  std::uint64_t dtype = 0;
  std::string_view content;
  std::optional<double> listed;
  Fields f(message);
  while (f.next()) {
    if (f.number == 1 && f.type == 0) dtype = f.bits;
    if (f.number == 4 && f.type == 2) content = f.bytes;
    // Lists are packed (type 2) or not; one element is enough.
    if (f.number == 5 && f.type == 5) listed = f.as_float();
    if (f.number == 5 && f.type == 2 && f.bytes.size() == 4) listed = load<float>(f.bytes.data());
    if (f.number == 6 && f.type == 1) listed = f.as_double();
    if (f.number == 6 && f.type == 2 && f.bytes.size() == 8) listed = load<double>(f.bytes.data());
    if ((f.number == 7 || f.number == 10) && f.type == 0)
      listed = static_cast<double>(static_cast<std::int64_t>(f.bits));
  }
  if (f.bad()) return std::nullopt;
  if (content.empty()) return listed;
  const char* at = content.data();
  if (dtype == dt_float && content.size() == 4) return load<float>(at);
  if (dtype == dt_double && content.size() == 8) return load<double>(at);
  if (dtype == dt_int32 && content.size() == 4) return load<std::int32_t>(at);
  if (dtype == dt_int64 && content.size() == 8) return static_cast<double>(load<std::int64_t>(at));
  return std::nullopt;
}

class EventReaderImpl final : public LogReader {
public:
  explicit EventReaderImpl(MetricLog& log) : log_(log) {}

  std::size_t read(std::string_view text, bool end) override {
    std::size_t at = 0;
    while (!broken_ && text.size() - at >= head_bytes) {
      const char* frame = text.data() + at;
      const auto length = load<std::uint64_t>(frame);
      if (masked_crc32c({frame, 8}) != load<std::uint32_t>(frame + 8)) {
        broken_ = true;
        log_.skip(fmt::format("byte {}: the length of a record is damaged; what follows is lost", done_));
        break;
      }
      if (length > text.size() || text.size() - at < head_bytes + length + tail_bytes) break;
      const std::string_view data(frame + head_bytes, static_cast<std::size_t>(length));
      if (masked_crc32c(data) != load<std::uint32_t>(data.data() + data.size()))
        log_.skip(fmt::format("byte {}: a record is damaged (its CRC32C differs)", done_));
      else
        take_event(data);
      const std::size_t size = head_bytes + data.size() + tail_bytes;
      at += size;
      done_ += size;
    }
    if (broken_) return text.size();
    if (end && at < text.size())
      log_.skip(fmt::format("byte {}: the last record is cut off after {} bytes", done_, text.size() - at));
    return end ? text.size() : at;
  }

private:
  void take_event(std::string_view message) {
    MetricPoint p;
    p.step = 0;
    double wall = 0;
    std::vector<std::string_view> summaries;
    bool starts = false;
    Fields f(message);
    while (f.next()) {
      if (f.number == 1 && f.type == 1) wall = f.as_double();
      if (f.number == 2 && f.type == 0) p.step = static_cast<std::int64_t>(f.bits);
      if (f.number == 5 && f.type == 2) summaries.push_back(f.bytes);
      if (f.number == 7 && f.type == 2) {
        Fields session(f.bytes);
        while (session.next()) starts = starts || (session.number == 1 && session.bits == 1);
      }
    }
    if (f.bad()) return log_.skip(fmt::format("byte {}: a record holds no event", done_));
    if (!has_begun_ && (starts || !summaries.empty())) {  // the head of the file may be of another clock
      began_ = wall;
      has_begun_ = true;
    }
    if (starts && !log_.series.empty()) {
      // What was logged from this step on belongs to an attempt that was lost.
      MetricPoint place = p;
      place.step = p.step - 1;
      place.time = wall - began_;
      log_.restart(place);
    }
    p.time = wall - began_;
    for (const std::string_view summary : summaries) take_summary(summary, p);
  }

  void take_summary(std::string_view message, const MetricPoint& place) {
    Fields f(message);
    while (f.next())
      if (f.number == 1 && f.type == 2) take_value(f.bytes, place);
  }

  void take_value(std::string_view message, MetricPoint p) {
    std::string_view tag;
    std::optional<double> value;
    Fields f(message);
    while (f.next()) {
      if (f.number == 1 && f.type == 2) tag = f.bytes;
      if (f.number == 2 && f.type == 5) value = f.as_float();
      if (f.number == 8 && f.type == 2) value = read_scalar(f.bytes);
    }
    if (f.bad() || tag.empty() || !value) return;  // histograms, images and the like
    const auto [mode, metric] = split_metric_name(tag);
    p.value = *value;
    log_.add({{}, 0, false, mode, {}, metric}, {}, p);
  }

  MetricLog& log_;
  bool broken_ = false;
  std::uint64_t done_ = 0;
  double began_ = 0;
  bool has_begun_ = false;
};

}  // namespace

std::uint32_t crc32c(std::string_view bytes) {
  std::uint32_t crc = ~0U;
  const char* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 8; left -= 8, at += 8) {
    const auto word = load<std::uint64_t>(at) ^ crc;
    crc = 0;
    for (std::size_t k = 0; k < 8; ++k) crc ^= tables[7 - k][word >> (8 * k) & 0xff];
  }
  for (; left > 0; --left, ++at) crc = (crc >> 8) ^ tables[0][(crc ^ static_cast<unsigned char>(*at)) & 0xff];
  return ~crc;
}

std::uint32_t masked_crc32c(std::string_view bytes) {
  const std::uint32_t crc = crc32c(bytes);
  return ((crc >> 15) | (crc << 17)) + 0xa282ead8U;
}

bool begins_event_file(std::string_view bytes) {
  return bytes.size() >= head_bytes &&
         masked_crc32c(bytes.substr(0, 8)) == load<std::uint32_t>(bytes.data() + 8);
}

std::unique_ptr<LogReader> make_event_reader(MetricLog& log) {
  return std::make_unique<EventReaderImpl>(log);
}

}  // namespace lbann::log
