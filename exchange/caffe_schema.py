"""Caffe's messages as a table: of each field its number in binary files, name, kind and default.

After the kind, * says that a field is repeated, + that its numbers stand packed in one piece. The
numbers are those of caffe.proto, the description that all of Caffe's files follow; only layers of
its first form (V0) are not in it.
Source: https://github.com/BVLC/caffe, src/caffe/proto/caffe.proto.
"""

import dataclasses
import re

_ENUMS = """
SnapshotFormat: 0 HDF5, 1 BINARYPROTO
SolverMode: 0 CPU, 1 GPU
SolverType: 0 SGD, 1 NESTEROV, 2 ADAGRAD, 3 RMSPROP, 4 ADADELTA, 5 ADAM
Phase: 0 TRAIN, 1 TEST
LayerType: 0 NONE, 35 ABSVAL, 1 ACCURACY, 30 ARGMAX, 2 BNLL, 3 CONCAT, 37 CONTRASTIVE_LOSS, 4
  CONVOLUTION, 5 DATA, 39 DECONVOLUTION, 6 DROPOUT, 32 DUMMY_DATA, 7 EUCLIDEAN_LOSS, 25 ELTWISE,
  38 EXP, 8 FLATTEN, 9 HDF5_DATA, 10 HDF5_OUTPUT, 28 HINGE_LOSS, 11 IM2COL, 12 IMAGE_DATA, 13
  INFOGAIN_LOSS, 14 INNER_PRODUCT, 15 LRN, 29 MEMORY_DATA, 16 MULTINOMIAL_LOGISTIC_LOSS, 34 MVN,
  17 POOLING, 26 POWER, 18 RELU, 19 SIGMOID, 27 SIGMOID_CROSS_ENTROPY_LOSS, 36 SILENCE, 20
  SOFTMAX, 21 SOFTMAX_LOSS, 22 SPLIT, 33 SLICE, 23 TANH, 24 WINDOW_DATA, 31 THRESHOLD
DimCheckMode: 0 STRICT, 1 PERMISSIVE
NormalizationMode: 0 FULL, 1 VALID, 2 BATCH_SIZE, 3 NONE
Engine: 0 DEFAULT, 1 CAFFE, 2 CUDNN
DB: 0 LEVELDB, 1 LMDB
EltwiseOp: 0 PROD, 1 SUM, 2 MAX
Norm: 1 L1, 2 L2
NormRegion: 0 ACROSS_CHANNELS, 1 WITHIN_CHANNEL
PoolMethod: 0 MAX, 1 AVE, 2 STOCHASTIC
RoundMode: 0 CEIL, 1 FLOOR
ReductionOp: 1 SUM, 2 ASUM, 3 SUMSQ, 4 MEAN
VarianceNorm: 0 FAN_IN, 1 FAN_OUT, 2 AVERAGE
"""

_MESSAGES = """
NetParameter: 1 name string, 3 input string*, 8 input_shape BlobShape*, 4 input_dim int32*, 5
  force_backward bool false, 6 state NetState, 7 debug_info bool false, 100 layer
  LayerParameter*, 2 layers V1LayerParameter*
SolverParameter: 24 net string, 25 net_param NetParameter, 1 train_net string, 2 test_net
  string*, 21 train_net_param NetParameter, 22 test_net_param NetParameter*, 26 train_state
  NetState, 27 test_state NetState*, 3 test_iter int32*, 4 test_interval int32 0, 19
  test_compute_loss bool false, 32 test_initialization bool true, 5 base_lr float, 6 display
  int32, 33 average_loss int32 1, 7 max_iter int32, 36 iter_size int32 1, 8 lr_policy string, 9
  gamma float, 10 power float, 11 momentum float, 12 weight_decay float, 29 regularization_type
  string L2, 13 stepsize int32, 34 stepvalue int32*, 35 clip_gradients float -1, 14 snapshot
  int32 0, 15 snapshot_prefix string, 16 snapshot_diff bool false, 37 snapshot_format
  SnapshotFormat BINARYPROTO, 17 solver_mode SolverMode GPU, 18 device_id int32 0, 20
  random_seed int64 -1, 40 type string SGD, 31 delta float 1e-8, 39 momentum2 float 0.999, 38
  rms_decay float 0.99, 23 debug_info bool false, 28 snapshot_after_train bool true, 30
  solver_type SolverType SGD, 41 layer_wise_reduce bool true, 42 weights string*
BlobShape: 1 dim int64*+
NetState: 1 phase Phase TEST, 2 level int32 0, 3 stage string*
LayerParameter: 1 name string, 2 type string, 3 bottom string*, 4 top string*, 10 phase Phase, 5
  loss_weight float*, 6 param ParamSpec*, 7 blobs BlobProto*, 11 propagate_down bool*, 8 include
  NetStateRule*, 9 exclude NetStateRule*, 100 transform_param TransformationParameter, 101
  loss_param LossParameter, 102 accuracy_param AccuracyParameter, 103 argmax_param
  ArgMaxParameter, 139 batch_norm_param BatchNormParameter, 141 bias_param BiasParameter, 148
  clip_param ClipParameter, 104 concat_param ConcatParameter, 105 contrastive_loss_param
  ContrastiveLossParameter, 106 convolution_param ConvolutionParameter, 144 crop_param
  CropParameter, 107 data_param DataParameter, 108 dropout_param DropoutParameter, 109
  dummy_data_param DummyDataParameter, 110 eltwise_param EltwiseParameter, 140 elu_param
  ELUParameter, 137 embed_param EmbedParameter, 111 exp_param ExpParameter, 135 flatten_param
  FlattenParameter, 112 hdf5_data_param HDF5DataParameter, 113 hdf5_output_param
  HDF5OutputParameter, 114 hinge_loss_param HingeLossParameter, 115 image_data_param
  ImageDataParameter, 116 infogain_loss_param InfogainLossParameter, 117 inner_product_param
  InnerProductParameter, 143 input_param InputParameter, 134 log_param LogParameter, 118
  lrn_param LRNParameter, 119 memory_data_param MemoryDataParameter, 120 mvn_param MVNParameter,
  145 parameter_param ParameterParameter, 121 pooling_param PoolingParameter, 122 power_param
  PowerParameter, 131 prelu_param PReLUParameter, 130 python_param PythonParameter, 146
  recurrent_param RecurrentParameter, 136 reduction_param ReductionParameter, 123 relu_param
  ReLUParameter, 133 reshape_param ReshapeParameter, 142 scale_param ScaleParameter, 124
  sigmoid_param SigmoidParameter, 125 softmax_param SoftmaxParameter, 132 spp_param
  SPPParameter, 126 slice_param SliceParameter, 147 swish_param SwishParameter, 127 tanh_param
  TanHParameter, 128 threshold_param ThresholdParameter, 138 tile_param TileParameter, 129
  window_data_param WindowDataParameter
V1LayerParameter: 2 bottom string*, 3 top string*, 4 name string, 32 include NetStateRule*, 33
  exclude NetStateRule*, 5 type LayerType, 6 blobs BlobProto*, 1001 param string*, 1002
  blob_share_mode DimCheckMode*, 7 blobs_lr float*, 8 weight_decay float*, 35 loss_weight
  float*, 27 accuracy_param AccuracyParameter, 23 argmax_param ArgMaxParameter, 9 concat_param
  ConcatParameter, 40 contrastive_loss_param ContrastiveLossParameter, 10 convolution_param
  ConvolutionParameter, 11 data_param DataParameter, 12 dropout_param DropoutParameter, 26
  dummy_data_param DummyDataParameter, 24 eltwise_param EltwiseParameter, 41 exp_param
  ExpParameter, 13 hdf5_data_param HDF5DataParameter, 14 hdf5_output_param HDF5OutputParameter,
  29 hinge_loss_param HingeLossParameter, 15 image_data_param ImageDataParameter, 16
  infogain_loss_param InfogainLossParameter, 17 inner_product_param InnerProductParameter, 18
  lrn_param LRNParameter, 22 memory_data_param MemoryDataParameter, 34 mvn_param MVNParameter,
  19 pooling_param PoolingParameter, 21 power_param PowerParameter, 30 relu_param ReLUParameter,
  38 sigmoid_param SigmoidParameter, 39 softmax_param SoftmaxParameter, 31 slice_param
  SliceParameter, 37 tanh_param TanHParameter, 25 threshold_param ThresholdParameter, 20
  window_data_param WindowDataParameter, 36 transform_param TransformationParameter, 42
  loss_param LossParameter
ParamSpec: 1 name string, 2 share_mode DimCheckMode, 3 lr_mult float 1.0, 4 decay_mult float 1.0
BlobProto: 7 shape BlobShape, 5 data float*+, 6 diff float*+, 8 double_data double*+, 9
  double_diff double*+, 1 num int32 0, 2 channels int32 0, 3 height int32 0, 4 width int32 0
NetStateRule: 1 phase Phase, 2 min_level int32, 3 max_level int32, 4 stage string*, 5 not_stage
  string*
TransformationParameter: 1 scale float 1, 2 mirror bool false, 3 crop_size uint32 0, 4 mean_file
  string, 5 mean_value float*, 6 force_color bool false, 7 force_gray bool false
LossParameter: 1 ignore_label int32, 3 normalization NormalizationMode VALID, 2 normalize bool
AccuracyParameter: 1 top_k uint32 1, 2 axis int32 1, 3 ignore_label int32
ArgMaxParameter: 1 out_max_val bool false, 2 top_k uint32 1, 3 axis int32
BatchNormParameter: 1 use_global_stats bool, 2 moving_average_fraction float .999, 3 eps float
  1e-5
BiasParameter: 1 axis int32 1, 2 num_axes int32 1, 3 filler FillerParameter
ClipParameter: 1 min float, 2 max float
ConcatParameter: 2 axis int32 1, 1 concat_dim uint32 1
ContrastiveLossParameter: 1 margin float 1.0, 2 legacy_version bool false
ConvolutionParameter: 1 num_output uint32, 2 bias_term bool true, 3 pad uint32*, 4 kernel_size
  uint32*, 6 stride uint32*, 18 dilation uint32*, 9 pad_h uint32 0, 10 pad_w uint32 0, 11
  kernel_h uint32, 12 kernel_w uint32, 13 stride_h uint32, 14 stride_w uint32, 5 group uint32 1,
  7 weight_filler FillerParameter, 8 bias_filler FillerParameter, 15 engine Engine DEFAULT, 16
  axis int32 1, 17 force_nd_im2col bool false
CropParameter: 1 axis int32 2, 2 offset uint32*
DataParameter: 1 source string, 4 batch_size uint32, 7 rand_skip uint32 0, 8 backend DB LEVELDB,
  2 scale float 1, 3 mean_file string, 5 crop_size uint32 0, 6 mirror bool false, 9
  force_encoded_color bool false, 10 prefetch uint32 4
DropoutParameter: 1 dropout_ratio float 0.5
DummyDataParameter: 1 data_filler FillerParameter*, 6 shape BlobShape*, 2 num uint32*, 3
  channels uint32*, 4 height uint32*, 5 width uint32*
EltwiseParameter: 1 operation EltwiseOp SUM, 2 coeff float*, 3 stable_prod_grad bool true
ELUParameter: 1 alpha float 1
EmbedParameter: 1 num_output uint32, 2 input_dim uint32, 3 bias_term bool true, 4 weight_filler
  FillerParameter, 5 bias_filler FillerParameter
ExpParameter: 1 base float -1.0, 2 scale float 1.0, 3 shift float 0.0
FlattenParameter: 1 axis int32 1, 2 end_axis int32 -1
HDF5DataParameter: 1 source string, 2 batch_size uint32, 3 shuffle bool false
HDF5OutputParameter: 1 file_name string
HingeLossParameter: 1 norm Norm L1
ImageDataParameter: 1 source string, 4 batch_size uint32 1, 7 rand_skip uint32 0, 8 shuffle bool
  false, 9 new_height uint32 0, 10 new_width uint32 0, 11 is_color bool true, 2 scale float 1, 3
  mean_file string, 5 crop_size uint32 0, 6 mirror bool false, 12 root_folder string
InfogainLossParameter: 1 source string, 2 axis int32 1
InnerProductParameter: 1 num_output uint32, 2 bias_term bool true, 3 weight_filler
  FillerParameter, 4 bias_filler FillerParameter, 5 axis int32 1, 6 transpose bool false
InputParameter: 1 shape BlobShape*
LogParameter: 1 base float -1.0, 2 scale float 1.0, 3 shift float 0.0
LRNParameter: 1 local_size uint32 5, 2 alpha float 1., 3 beta float 0.75, 4 norm_region
  NormRegion ACROSS_CHANNELS, 5 k float 1., 6 engine Engine DEFAULT
MemoryDataParameter: 1 batch_size uint32, 2 channels uint32, 3 height uint32, 4 width uint32
MVNParameter: 1 normalize_variance bool true, 2 across_channels bool false, 3 eps float 1e-9
ParameterParameter: 1 shape BlobShape
PoolingParameter: 1 pool PoolMethod MAX, 4 pad uint32 0, 9 pad_h uint32 0, 10 pad_w uint32 0, 2
  kernel_size uint32, 5 kernel_h uint32, 6 kernel_w uint32, 3 stride uint32 1, 7 stride_h
  uint32, 8 stride_w uint32, 11 engine Engine DEFAULT, 12 global_pooling bool false, 13
  round_mode RoundMode CEIL
PowerParameter: 1 power float 1.0, 2 scale float 1.0, 3 shift float 0.0
PReLUParameter: 1 filler FillerParameter, 2 channel_shared bool false
PythonParameter: 1 module string, 2 layer string, 3 param_str string, 4 share_in_parallel bool
  false
RecurrentParameter: 1 num_output uint32 0, 2 weight_filler FillerParameter, 3 bias_filler
  FillerParameter, 4 debug_info bool false, 5 expose_hidden bool false
ReductionParameter: 1 operation ReductionOp SUM, 2 axis int32 0, 3 coeff float 1.0
ReLUParameter: 1 negative_slope float 0, 2 engine Engine DEFAULT
ReshapeParameter: 1 shape BlobShape, 2 axis int32 0, 3 num_axes int32 -1
ScaleParameter: 1 axis int32 1, 2 num_axes int32 1, 3 filler FillerParameter, 4 bias_term bool
  false, 5 bias_filler FillerParameter
SigmoidParameter: 1 engine Engine DEFAULT
SoftmaxParameter: 1 engine Engine DEFAULT, 2 axis int32 1
SPPParameter: 1 pyramid_height uint32, 2 pool PoolMethod MAX, 6 engine Engine DEFAULT
SliceParameter: 3 axis int32 1, 2 slice_point uint32*, 1 slice_dim uint32 1
SwishParameter: 1 beta float 1
TanHParameter: 1 engine Engine DEFAULT
ThresholdParameter: 1 threshold float 0
TileParameter: 1 axis int32 1, 2 tiles int32
WindowDataParameter: 1 source string, 2 scale float 1, 3 mean_file string, 4 batch_size uint32,
  5 crop_size uint32 0, 6 mirror bool false, 7 fg_threshold float 0.5, 8 bg_threshold float 0.5,
  9 fg_fraction float 0.25, 10 context_pad uint32 0, 11 crop_mode string warp, 12 cache_images
  bool false, 13 root_folder string
FillerParameter: 1 type string constant, 2 value float 0, 3 min float 0, 4 max float 1, 5 mean
  float 0, 6 std float 1, 7 sparse int32 -1, 8 variance_norm VarianceNorm FAN_IN
"""


@dataclasses.dataclass(frozen=True)
class Field:
    """A field of a message. `kind` is int32, float, string, ..., or the name of a message or an
    enum; `default` what it is when a file does not say."""

    number: int
    name: str
    kind: str
    repeated: bool
    packed: bool
    default: object

    @property
    def is_message(self) -> bool:
        return self.kind in MESSAGES

    @property
    def is_array(self) -> bool:
        """Many floats: held as one array of NumPy."""
        return self.packed and self.kind in ("float", "double")


def _entries(text: str) -> dict[str, list[str]]:
    lines = re.sub(r"\n  ", " ", text).strip().split("\n")
    named = (line.split(": ", 1) for line in lines)
    return {name: entries.split(", ") for name, entries in named}


def _field(entry: str) -> Field:
    number, name, kind, *default = entry.split()
    plain = kind.rstrip("*+")
    value = _default(plain, default[0] if default else None)
    return Field(int(number), name, plain, "*" in kind, "+" in kind, value)


def _default(kind: str, text: str | None):
    if kind == "bool":
        return text == "true"
    if kind in ("float", "double"):
        return float(text or 0)
    if kind in ("int32", "int64", "uint32", "uint64"):
        return int(text or 0)
    if kind == "string":
        return text or ""
    return (text or next(iter(ENUMS[kind].values()))) if kind in ENUMS else None


# {enum: {number: name}} and {message: {name: Field}}
ENUMS = {
    name: {int(number): value for number, value in map(str.split, entries)}
    for name, entries in _entries(_ENUMS).items()
}
MESSAGES: dict[str, dict[str, Field]] = {}
MESSAGES |= {
    name: {field.name: field for field in map(_field, entries)}
    for name, entries in _entries(_MESSAGES).items()
}
BY_NUMBER = {
    name: {field.number: field for field in fields.values()} for name, fields in MESSAGES.items()
}
