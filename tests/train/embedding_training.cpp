// An embedding from text through the trainer: the padding row is zero from the start and stays so, and
// updating only the rows that a step has read changes no bit of a run with plain SGD.
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <string>
#include <vector>

#include "train/trainer.hpp"

#include "fixture.hpp"

namespace {

using namespace lbann;

/// The one-hot labels serve as indices: rows 0 and 1 of the table are read, 0 as padding.
const char* const text = R"(
trainer { mini_batch_size: 16 }
data_reader {
  reader {
    name: "synthetic" role: "train" shuffle: true num_samples: 72 synth_dimensions: "3 8 8" num_labels: 5
    fraction_of_data_to_use: 1.0
  }
}
optimizer { sgd { learn_rate: 0.05 } }
model {
  num_epochs: 2
  layer { name: "x" input { data_field: "samples" } }
  layer { name: "t" input { data_field: "labels" } }
  layer { name: "table" parents: "t"
          embedding { num_embeddings: 900 embedding_dim: 7 padding_idx { value: 0 } } }
  layer { name: "fc" parents: "table" fully_connected { num_neurons: 5 has_bias: true } }
  layer { name: "loss" parents: "fc" parents: "t" mean_squared_error {} }
  objective_function { layer_term { scale_factor: 1 layer: "loss" } }
}
)";

train::TrainerConfig make_config() {
  static const train::Fixture fixture(text);
  return fixture.make_config();
}

int num_zeros(const std::vector<double>& table, std::size_t row) {
  const auto begin = table.begin() + static_cast<std::ptrdiff_t>(row * 7);
  return static_cast<int>(std::count(begin, begin + 7, 0.0));
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_padding_row_of_an_embedding_is_zero_and_stays_zero) {
  train::Trainer trainer(make_config());
  trainer.setup();
  const std::vector<double> before = trainer.weights().values("table_weights");
  BOOST_TEST(num_zeros(before, 0) == 7);
  BOOST_TEST(num_zeros(before, 1) == 0);
  trainer.train();
  const std::vector<double> after = trainer.weights().values("table_weights");
  BOOST_TEST(num_zeros(after, 0) == 7);
  BOOST_TEST(std::equal(before.begin() + 14, before.end(), after.begin() + 14));  // rows nobody reads
  BOOST_TEST(!std::equal(before.begin() + 7, before.begin() + 14, after.begin() + 7));
}

BOOST_AUTO_TEST_CASE(row_updates_change_no_bit_of_a_run) {
  const auto digest = [](train::TrainerConfig config) {
    train::Trainer trainer(std::move(config));
    trainer.setup();
    trainer.train();
    return trainer.weights().digest("weight");
  };
  for (const passes::Commit commit : {passes::Commit::eager, passes::Commit::committed}) {
    auto sparse = make_config();
    sparse.commit = commit;
    auto dense = make_config();
    dense.commit = commit;
    dense.disabled_passes.insert("sparsify_updates");
    BOOST_CHECK_EQUAL(digest(std::move(sparse)), digest(std::move(dense)));
  }
}
