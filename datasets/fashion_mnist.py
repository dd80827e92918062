"""Fashion-MNIST: MNIST's shapes with ten kinds of clothes (Xiao et al. 2017)."""

from lamina.datasets.download import md5_of_file
from lamina.datasets.mnist import MNIST
from lamina.datasets.published import FASHION_FILES

# Of the compressed files, as their publishers list them.
FILE_MD5 = {
    "train-images-idx3-ubyte.gz": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
    "train-labels-idx1-ubyte.gz": "25c81989df183df01b3e8a0aad5dffbe",
    "t10k-images-idx3-ubyte.gz": "bef4ecab320f06d8554ea6380940ec79",
    "t10k-labels-idx1-ubyte.gz": "bb300cfdad3c16e7a12a480ee83cd310",
}


class FashionMNIST(MNIST):
    """Fashion-MNIST from $LAMINA_DATA/fashion_mnist; otherwise as MNIST."""

    folder = "fashion_mnist"
    drawn = "clothes"
    contents = FASHION_FILES
    mirrors = (
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    )
    classes = (
        *("T-shirt", "trouser", "pullover", "dress", "coat"),
        *("sandal", "shirt", "sneaker", "bag", "ankle boot"),
    )

    def verification(self, name: str):
        return md5_of_file(FILE_MD5[name])
