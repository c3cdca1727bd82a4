"""All kinds of layers that an imported network may have: the list that uploads are held against."""

from typing import Annotated

from pydantic import Field

from app.spec.imported import forms, values, windows

Kind = Annotated[
    windows.Conv2D
    | windows.DepthwiseConv2D
    | windows.SeparableConv2D
    | windows.MaxPooling2D
    | windows.AveragePooling2D
    | windows.GlobalAveragePooling2D
    | windows.GlobalMaxPooling2D
    | windows.UpSampling2D
    | values.Dense
    | values.BatchNormalization
    | values.LayerNormalization
    | values.GroupNormalization
    | values.ActivationLayer
    | values.ReLU
    | values.LeakyReLU
    | values.ELU
    | values.PReLU
    | values.Softmax
    | values.Dropout
    | values.SpatialDropout2D
    | values.Rescaling
    | values.Normalization
    | forms.Flatten
    | forms.Reshape
    | forms.Permute
    | forms.ZeroPadding2D
    | forms.Cropping2D
    | forms.Add
    | forms.Subtract
    | forms.Multiply
    | forms.Average
    | forms.Maximum
    | forms.Minimum
    | forms.Concatenate,
    Field(discriminator="kind"),
]
