"""What must hold before anything is trained: expectations over the faces and their lists."""
